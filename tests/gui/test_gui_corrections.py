"""The objects of a prediction get ids of their own, and the class they begin with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_unet.gui.corrections import numbered_through

AXES = ["", "Z", "T", "TZ", "ZT"]


@given(st.data())
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("factor", [1, 100_000, -1])
def test_objects_have_ids_of_their_own_and_go_on_along_z(factor, axes, data):
    dims = len(axes) + 2
    shape = data.draw(array_shapes(min_dims=dims, max_dims=dims, max_side=4))
    ids = data.draw(arrays(np.int64, shape, elements=st.integers(0, 5))) * factor
    semantic = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 3)))
    found, classes = numbered_through(ids, semantic, axes)
    expected, of, known = np.zeros(shape, int), {}, {}
    for plane in np.ndindex(shape[:-2]):
        frame = [i for i, axis in zip(plane, axes, strict=True) if axis != "Z"]
        for i in np.unique(ids[plane]):
            if i:
                where = ids[plane] == i
                label = max(1, semantic[plane][where][0])
                number = known.setdefault((*frame, i, label), len(known) + 1)
                expected[plane][where], of[number] = number, label
    np.testing.assert_array_equal(found, expected)
    assert classes == of
    assert set(numbered_through(ids, None, axes)[1].values()) <= {1}
