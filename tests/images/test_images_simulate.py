import cc3d
import numpy as np
import pytest

from napari_unet.images import simulate_nuclei


def test_the_same_seed_gives_the_same_image():
    image, labels = simulate_nuclei((96, 128), seed=3)
    again, labels_again = simulate_nuclei((96, 128), seed=3)
    other, _ = simulate_nuclei((96, 128), seed=4)
    assert image.dtype == labels.dtype == np.uint16
    assert image.shape == labels.shape == (96, 128)
    assert (image == again).all() and (labels == labels_again).all()
    assert (image != other).any()


@pytest.mark.parametrize("seed", range(3))
def test_nuclei_are_bright_connected_and_some_touch(seed):
    image, labels = simulate_nuclei(seed=seed)
    count = int(labels.max())
    assert 80 <= count <= 100
    for nucleus in range(1, count + 1):
        assert cc3d.connected_components(labels == nucleus, connectivity=8).max() == 1
    clumps = cc3d.connected_components(labels > 0, connectivity=8).max()
    assert clumps < 0.8 * count
    assert 0.1 < (labels > 0).mean() < 0.4
    assert np.median(image[labels > 0]) > 2 * np.median(image[labels == 0])


def test_light_is_uneven_and_noise_is_there():
    image, labels = simulate_nuclei()
    dark = np.where(labels == 0, image, np.nan)
    corners = [
        np.nanmedian(dark[y, x])
        for y in (slice(64), slice(-64, None))
        for x in (slice(64), slice(-64, None))
    ]
    assert max(corners) > 1.05 * min(corners)
    assert np.nanstd(dark[:64, :64]) > 4


def test_any_number_and_any_size():
    assert simulate_nuclei((64, 64), n=0)[1].max() == 0
    assert simulate_nuclei((200, 200), n=5)[1].max() == 5
    crowded = simulate_nuclei((64, 64), n=500)[1]
    assert 1 < crowded.max() < 100
    assert simulate_nuclei((5, 3))[0].shape == (5, 3)
