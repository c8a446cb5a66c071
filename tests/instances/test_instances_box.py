"""Edits of objects look only at the part of a plane that they are about."""

import numpy as np
import pytest

from napari_unet.instances.box import box_around


@pytest.mark.parametrize("seed", range(3))
def test_a_box_holds_all_of_the_objects_and_a_margin(seed):
    random = np.random.default_rng(seed)
    objects = random.integers(0, 400, (150, 90)).astype(np.uint32)
    for ids in ([7], [7, 8], list(range(1, 30))):
        box = box_around(objects, ids, 2)
        y, x = np.nonzero(np.isin(objects, ids))
        assert box == (
            slice(max(y.min() - 2, 0), y.max() + 3),
            slice(max(x.min() - 2, 0), x.max() + 3),
        )


@pytest.mark.parametrize("ids", [[], [9]])
def test_a_box_is_empty_where_no_object_is(ids):
    objects = np.ones((5, 6), np.uint32)
    assert objects[box_around(objects, ids, 2)].size == 0
