"""Masks in black and white."""

import numpy as np
import pytest

from napari_unet.annotation import objects_of_mask


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX"])
@pytest.mark.parametrize("value", [1, 255])
def test_parts_of_a_black_and_white_mask_are_objects(axes, value):
    mask = np.zeros((2, 3, 40, 30)[4 - len(axes) :], np.uint32)
    mask[..., 5:15, 5:15] = value
    mask[..., 20:30, 5:15] = value
    objects, black_and_white = objects_of_mask(mask, axes)
    assert black_and_white
    assert ((objects > 0) == (mask > 0)).all()
    # Followed along Z, but not from frame to frame.
    frames = mask.shape[0] if "T" in axes else 1
    assert sorted(np.unique(objects)) == list(range(2 * frames + 1))
    if "Z" in axes:
        planes = np.moveaxis(objects, axes.index("Z"), 0)
        assert (planes == planes[0]).all()


@pytest.mark.parametrize("values", [(), (255,), (1, 2), (1, 1, 2)])
def test_numbered_objects_stay_as_they_are(values):
    mask = np.zeros((40, 30), np.uint32)
    for i, value in enumerate(values):
        mask[10 * i : 10 * i + 5] = value
    objects, black_and_white = objects_of_mask(mask, "YX")
    assert not black_and_white
    np.testing.assert_array_equal(objects, mask)
