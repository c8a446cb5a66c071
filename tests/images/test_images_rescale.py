"""Images seen larger or smaller."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import resize as skimage_resize

from napari_unet.images import IntensityRange, Region, image_from_array, rescale
from napari_unet.images.rescale import nearest_pixels, resize

PIXELS = np.random.default_rng(0).integers(0, 4000, (37, 52)).astype(np.uint16)


def image(axes="YX"):
    if axes == "YX":
        return image_from_array(PIXELS, "YX")
    stack = np.stack([PIXELS, PIXELS // 2])
    return image_from_array(np.stack([stack, stack + 1, stack + 2]), "CZYX")


def test_larger_is_linear_between_the_pixels():
    seen = rescale(image(), 2)
    assert seen.plane_shape == (74, 104)
    expected = skimage_resize(
        PIXELS.astype(np.float32), (74, 104), order=1, mode="edge", anti_aliasing=False
    )
    np.testing.assert_allclose(seen.read(seen.whole())[0], expected, rtol=1e-3)


def test_smaller_keeps_the_brightness_and_no_noise():
    seen = rescale(image(), 0.25)
    pixels = seen.read(seen.whole())
    assert pixels.shape == (1, 9, 13)
    assert pixels.mean() == pytest.approx(PIXELS.mean(), rel=0.05)
    assert pixels.std() < PIXELS.std() / 2


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.1, 5),
    st.tuples(*[st.floats(0, 1)] * 4),
    st.sampled_from(["YX", "CZYX"]),
)
def test_a_part_is_as_in_the_whole(factor, corners, axes):
    seen = rescale(image(axes), factor)
    plane = {"Z": 1} if axes != "YX" else {}
    height, width = seen.plane_shape
    y0, y1 = sorted(int(c * (height - 1)) for c in corners[:2])
    x0, x1 = sorted(int(c * (width - 1)) for c in corners[2:])
    part = Region(y0, x0, y1 + 1, x1 + 1, plane)
    whole = seen.read(seen.whole(plane))
    np.testing.assert_allclose(
        seen.read(part), whole[(slice(None), *part.slices)], rtol=1e-4, atol=1e-2
    )


@given(st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_has_a_nearest_one(size, scaled):
    nearest = nearest_pixels(size, scaled)
    assert len(nearest) == size
    assert (np.diff(nearest) >= 0).all()
    assert 0 <= nearest.min() and nearest.max() < scaled


def test_resize_comes_back():
    smooth = np.add.outer(np.arange(30), np.arange(20)).astype(np.uint8)
    there = resize(smooth, (60, 40)).round().astype(np.uint8)
    back = resize(there, (30, 20))
    assert np.abs(back - smooth).max() <= 1.5


@pytest.mark.parametrize("factor", [0.5, 2])
def test_what_is_not_a_number_stays_so_and_spoils_nothing(factor):
    holes = np.full((40, 40), 500, np.float32)
    holes[10:20, 10:20] = np.nan
    holes[30, 30] = np.inf
    seen = rescale(image_from_array(holes, "YX"), factor)
    pixels = seen.read(seen.whole())[0]
    a, b = int(10 * factor), int(20 * factor)
    assert np.isnan(pixels[a:b, a:b]).mean() > 0.7
    outside = np.isfinite(pixels)
    outside[int(20 * factor) :] = False
    np.testing.assert_allclose(pixels[outside], 500, rtol=1e-5)
    # As in the image itself, it becomes 0 and not the darkest there is.
    scaled = IntensityRange((100.0,), (900.0,)).apply(pixels[np.newaxis])
    assert (scaled[0, a + 2 : b - 2, a + 2 : b - 2] == 0).all()
    assert not np.isnan(pixels[int(30 * factor), int(30 * factor)])


@pytest.mark.parametrize("dtype", ["u4", "i8", "f8"])
def test_a_narrow_range_on_a_high_offset_is_kept(dtype):
    ramp = (np.arange(40)[:, None] + np.zeros(30)).astype(dtype) + 4_000_000_000
    seen = rescale(image_from_array(ramp, "YX"), 2)
    steps = np.diff(seen.read(seen.whole())[0, :, 0])[2:-2]
    np.testing.assert_allclose(steps, 0.5)
