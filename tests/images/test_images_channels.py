import numpy as np
import pytest

from napari_unet.errors import ImageError
from napari_unet.images import Region, choose_channels, image_from_array, join_channels

GREY = image_from_array(np.zeros((7, 9)))
FIVE = image_from_array(np.zeros((5, 7, 9)), "CYX", name="stained")
RGB = image_from_array(np.zeros((7, 9, 3)), rgb=True)
RGBA = image_from_array(np.zeros((7, 9, 4)), rgb=True)


@pytest.mark.parametrize(
    ("image", "wanted", "asked", "chosen"),
    [
        (GREY, 1, (), (0,)),
        (GREY, 3, (), (0, 0, 0)),
        (GREY, 3, (0,), (0, 0, 0)),
        (FIVE, 5, (), (0, 1, 2, 3, 4)),
        (FIVE, 1, (4,), (4,)),
        (FIVE, 2, (3,), (3, 3)),
        (FIVE, 2, (1, 3), (1, 3)),
        (FIVE, 2, (3, 1), (3, 1)),
        (RGB, 3, (), (0, 1, 2)),
        (RGBA, 3, (), (0, 1, 2)),
        (RGBA, 1, (2,), (2,)),
    ],
)
def test_channels_for_a_model(image, wanted, asked, chosen):
    assert choose_channels(image, wanted, asked) == chosen


@pytest.mark.parametrize(
    ("image", "wanted", "asked", "words"),
    [
        (FIVE, 1, (), "'stained' has 5 channels.*takes 1.*from 0 to 4"),
        (FIVE, 3, (), "5 channels.*takes 3"),
        (RGB, 1, (), r"3 channels \(0 is red, 1 green, 2 blue\).*takes 1"),
        (RGBA, 4, (), "3 channels.*takes 4"),
        (RGBA, 1, (3,), "no channel 3, only channels 0 to 2"),
        (GREY, 1, (1,), "no channel 1, only channel 0."),
        (FIVE, 2, (0, 5), "no channel 5"),
        (FIVE, 2, (0, 1, 4), "5 channels, of which 3 are chosen, but .* takes 2"),
        (FIVE, 3, (0, 1), "Choose 3 channels or one, from 0 to 4, or a model of 2"),
        (FIVE, 1, (-1,), "no channel -1"),
    ],
)
def test_a_mismatch_names_both_numbers_and_the_fix(image, wanted, asked, words):
    with pytest.raises(ImageError, match=words):
        choose_channels(image, wanted, asked)


def test_arrays_become_the_channels_of_one_image():
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 99, (3, 7, 9)).astype(t) for t in ("u1", "u2", "f4")]
    image = image_from_array(parts[0], "ZYX", name="stained")
    joined = join_channels(image, parts)
    assert (joined.axes, joined.name, joined.n_channels) == ("ZYXC", "stained", 3)
    region = Region(1, 2, 5, 8, {"Z": 2})
    expected = np.stack([part[2, 1:5, 2:8] for part in parts])
    np.testing.assert_array_equal(joined.read(region), expected)
    np.testing.assert_array_equal(joined.read(region, (2, 0)), expected[[2, 0]])
