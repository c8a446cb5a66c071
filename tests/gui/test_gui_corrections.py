"""The objects of a prediction get ids of their own, and the class they begin with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import binary_dilation

from napari_unet.gui.objects.corrections import numbered_through

AXES = ["", "Z", "T", "TZ", "ZT"]


@given(st.data())
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("factor", [1, 100_000, -1])
def test_objects_go_on_where_they_touch_along_z_and_else_have_ids_of_their_own(
    factor, axes, data
):
    dims = len(axes) + 2
    shape = data.draw(array_shapes(min_dims=dims, max_dims=dims, max_side=4))
    ids = data.draw(arrays(np.int64, shape, elements=st.integers(0, 5))) * factor
    semantic = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 3)))
    found, classes = numbered_through(ids, semantic, axes)
    expected, of = np.zeros(shape, int), {}
    for plane in np.ndindex(shape[:-2]):
        steps = [int(axis == "Z") for axis in axes]
        below = tuple(np.subtract(plane, steps))
        for i in np.unique(ids[plane][ids[plane] != 0]):
            where = ids[plane] == i
            label = max(1, semantic[plane][where][0])
            number = len(of) + 1
            if "Z" in axes and min(below) >= 0:
                around = binary_dilation(where, np.ones((3, 3)))
                touched = np.unique(expected[below][around & (ids[below] == i)])
                # It has one number there, and may be of another class.
                (touched,) = touched if len(touched) else (0,)
                number = touched if of.get(touched) == label else number
            expected[plane][where], of[number] = number, label
    np.testing.assert_array_equal(found, expected)
    assert classes == of
    assert set(numbered_through(ids, None, axes)[1].values()) <= {1}
