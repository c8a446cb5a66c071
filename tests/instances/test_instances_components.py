import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from napari_unet.instances import label_components

masks = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    elements=st.integers(0, 1),
)
classes = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
    elements=st.integers(0, 3),
)
EIGHT = np.ones((3, 3))


def picture(*rows):
    return np.array([[int(c) for c in row] for row in rows], np.uint8)


@given(classes)
def test_objects_are_the_components_of_each_class(semantic):
    objects = label_components(semantic)
    assert objects.dtype == np.uint32
    np.testing.assert_array_equal(objects > 0, semantic > 0)
    total = 0
    for value in (1, 2, 3):
        expected, count = ndimage.label(semantic == value, EIGHT)
        total += count
        for number in range(1, count + 1):
            assert len(np.unique(objects[expected == number])) == 1
    np.testing.assert_array_equal(np.unique(objects[objects > 0]), range(1, total + 1))


@given(masks)
def test_holes_are_those_of_scipy(semantic):
    filled = label_components(semantic, fill_holes=True)
    expected = ndimage.binary_fill_holes(semantic)
    np.testing.assert_array_equal(filled > 0, expected)
    # What was an object before still is one.
    before = label_components(semantic)
    np.testing.assert_array_equal(filled[semantic > 0], before[semantic > 0])


@given(masks, st.integers(0, 12))
def test_small_objects_are_left_out(semantic, min_size):
    objects = label_components(semantic, min_size=min_size)
    before = label_components(semantic)
    sizes = np.bincount(before.ravel())[1:]
    kept = np.flatnonzero(sizes >= max(min_size, 1)) + 1
    np.testing.assert_array_equal(objects > 0, np.isin(before, kept))
    np.testing.assert_array_equal(
        np.unique(objects[objects > 0]), np.arange(len(kept)) + 1
    )


def test_numbers_go_row_by_row():
    semantic = picture("0100", "0001", "1001", "0000")
    expected = picture("0100", "0002", "3002", "0000")
    np.testing.assert_array_equal(label_components(semantic), expected)


def test_touching_classes_stay_apart():
    semantic = picture("1122", "1122")
    np.testing.assert_array_equal(label_components(semantic), semantic)


def test_an_object_in_a_hole_stays_one():
    semantic = picture("1111111", "1000001", "1001001", "1000001", "1111111")
    expected = np.ones((5, 7), int)
    expected[2, 3] = 2
    np.testing.assert_array_equal(label_components(semantic, fill_holes=True), expected)


def test_a_hole_between_two_classes_is_left():
    semantic = picture("1122", "1002", "1122")
    filled = label_components(semantic, fill_holes=True)
    np.testing.assert_array_equal(filled, semantic)


def test_size_counts_after_filling():
    ring = picture("00000", "01110", "01010", "01110", "00000")
    assert label_components(ring, min_size=9).max() == 0
    assert label_components(ring, min_size=9, fill_holes=True).max() == 1


def test_large_planes_and_other_orders_of_memory():
    rng = np.random.default_rng(0)
    semantic = (rng.random((2300, 2100)) < 0.2).astype(np.uint8)
    objects = label_components(semantic, min_size=3, fill_holes=True)
    assert objects.max() > 2**16
    reference, _ = ndimage.label(ndimage.binary_fill_holes(semantic), EIGHT)
    assert (objects > 0).sum() <= (reference > 0).sum()
    sizes = np.bincount(objects.ravel())[1:]
    assert sizes.min() >= 3
    np.testing.assert_array_equal(
        label_components(np.asfortranarray(semantic), min_size=3, fill_holes=True),
        objects,
    )


def test_nothing_and_everything():
    nothing = np.zeros((5, 4), np.uint8)
    assert not label_components(nothing, min_size=3, fill_holes=True).any()
    assert (label_components(nothing + 1, min_size=3, fill_holes=True) == 1).all()
