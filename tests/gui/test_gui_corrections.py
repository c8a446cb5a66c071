"""The objects of a prediction get ids of their own, and the class they begin with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_unet.gui.corrections import numbered_through

shapes = array_shapes(min_dims=2, max_dims=3, max_side=5)


@given(st.data())
@pytest.mark.parametrize("factor", [1, 100_000, -1])
def test_each_object_gets_the_next_id_and_the_class_of_its_first_pixel(factor, data):
    shape = data.draw(shapes)
    ids = data.draw(arrays(np.int64, shape, elements=st.integers(0, 5))) * factor
    semantic = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 3)))
    found, classes = numbered_through(ids, semantic)
    expected, of = np.zeros(shape, int), {}
    for plane in np.ndindex(shape[:-2]):
        for i in np.unique(ids[plane]):
            if i:
                where = ids[plane] == i
                index = 1 + len(of)
                expected[plane][where] = index
                of[index] = max(1, semantic[plane][where][0])
    np.testing.assert_array_equal(found, expected)
    assert classes == of
    assert numbered_through(ids, None)[1] == dict.fromkeys(of, 1)
