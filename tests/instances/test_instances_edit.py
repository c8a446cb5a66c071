import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import ndimage

from napari_unet.instances.edit import GAP, delete, merge, split

planes = npst.arrays(
    st.sampled_from([np.uint16, np.uint32, np.int64]),
    npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
    elements=st.integers(0, 4),
)
paths = st.lists(
    st.tuples(st.floats(-3, 16), st.floats(-3, 16)), min_size=1, max_size=4
)
NEW = 100


def parts(mask: np.ndarray) -> int:
    return ndimage.label(mask, np.ones((3, 3)))[1]


@given(planes, st.integers(1, 5))
def test_delete_removes_one_object_and_nothing_else(objects, index):
    before = objects.copy()
    after = delete(objects, index)
    np.testing.assert_array_equal(objects, before)
    assert after.dtype == objects.dtype
    assert not (after == index).any()
    others = before != index
    np.testing.assert_array_equal(after[others], before[others])


@given(planes, st.integers(1, 4), st.integers(1, 4))
def test_merge_joins_two_objects_and_leaves_the_others(objects, kept, gone):
    before = objects.copy()
    after = merge(objects, kept, gone)
    np.testing.assert_array_equal(objects, before)
    assert after.dtype == objects.dtype
    if kept != gone:
        assert not (after == gone).any()
    assert (after[(before == kept) | (before == gone)] == kept).all()
    others = (before != 0) & (before != kept) & (before != gone)
    np.testing.assert_array_equal(after[others], before[others])
    filled = (before == 0) & (after != 0)
    assert (after[filled] == kept).all()
    if filled.any():
        assert parts(after == kept) < parts(before == kept) + parts(before == gone)
        for index in (kept, gone):
            near = ndimage.distance_transform_cdt(before != index, "chessboard")
            assert near[filled].max() <= GAP


@given(planes, paths)
def test_split_keeps_every_pixel_in_its_object(objects, path):
    before = objects.copy()
    after, origin = split(objects, path, NEW)
    np.testing.assert_array_equal(objects, before)
    assert after.dtype == objects.dtype
    assert set(origin) == set(np.unique(after[after >= NEW]).tolist())
    back = after.copy()
    for new, old in origin.items():
        back[after == new] = old
        assert parts(after == new) == 1
        assert (after == old).any()
    np.testing.assert_array_equal(back, before)


@given(planes, paths)
def test_a_split_can_be_merged_again(objects, path):
    after, origin = split(objects, path, NEW)
    for new, old in origin.items():
        after = merge(after, old, new)
    same = objects != 0
    np.testing.assert_array_equal(after[same], objects[same])


@given(st.integers(6, 20), st.integers(6, 20), st.floats(0, np.pi))
def test_a_line_across_a_rectangle_makes_two(height, width, angle):
    objects = np.zeros((height + 4, width + 4), np.uint32)
    objects[2:-2, 2:-2] = 7
    middle = np.array(objects.shape) / 2 - 0.5
    reach = 40 * np.array([np.sin(angle), np.cos(angle)])
    after, origin = split(objects, [middle - reach, middle + reach], NEW)
    assert origin == {NEW: 7}
    assert parts(after == 7) == parts(after == NEW) == 1
    assert (after == 7).sum() >= (after == NEW).sum() > height * width / 4


def test_a_line_that_ends_inside_splits_nothing():
    objects = np.zeros((20, 20), np.uint32)
    objects[4:16, 4:16] = 3
    after, origin = split(objects, [(0, 10), (10, 10)], NEW)
    assert origin == {}
    np.testing.assert_array_equal(after, objects)


def test_one_line_splits_each_object_that_it_crosses():
    objects = np.zeros((12, 30), np.uint32)
    objects[2:10, 2:10], objects[2:10, 12:20], objects[2:10, 22:28] = 1, 2, 3
    after, origin = split(objects, [(6, 0), (6, 21)], NEW)
    assert sorted(origin.values()) == [1, 2]
    np.testing.assert_array_equal(after == 3, objects == 3)


@pytest.mark.parametrize(("gap", "joined"), [(0, 0), (1, 4), (2, 8), (3, 0)])
def test_merge_fills_a_narrow_gap_only(gap, joined):
    objects = np.zeros((4, 20), np.uint32)
    objects[:, 2:6], objects[:, 6 + gap : 12] = 1, 2
    after = merge(objects, 1, 2)
    assert (after == 1).sum() == (objects > 0).sum() + joined


def test_merge_of_a_missing_object_changes_nothing_else():
    objects = np.zeros((5, 5), np.uint32)
    objects[1:3, 1:3] = 2
    np.testing.assert_array_equal(merge(objects, 9, 8), objects)
    np.testing.assert_array_equal(merge(objects, 9, 2), objects // 2 * 9)
