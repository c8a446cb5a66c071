"""Images in parts of whole chunks."""

import numpy as np
import pytest
import zarr

from napari_unet.images import bands, image_from_array


@pytest.mark.parametrize(
    ("chunks", "heights"),
    [((1, 500, 64), [1500, 1000]), ((1, 3000, 64), [2500]), (None, [1024, 1024, 452])],
)
def test_bands_are_a_plane_in_whole_chunks(chunks, heights):
    data = np.random.default_rng(0).integers(0, 255, (2, 2500, 70), np.uint8)
    held = data if chunks is None else zarr.array(data, chunks=chunks)
    image = image_from_array(held, axes="ZYX")
    parts = list(bands(image, {"Z": 1}))
    assert [part.shape for part in parts] == [(height, 70) for height in heights]
    together = np.concatenate([image.read(part)[0] for part in parts])
    np.testing.assert_array_equal(together, data[1])
