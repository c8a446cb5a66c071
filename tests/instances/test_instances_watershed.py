"""Objects as hills of a map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_unet.instances import label_components, label_hills

SHAPE = (13, 16)
planes = arrays(np.uint8, SHAPE, elements=st.integers(0, 2))
heights = arrays(np.uint8, SHAPE, elements=st.integers(0, 255))


def disks(*disks, shape=(40, 60)):
    """Return label images of disks: of which object each pixel is, and the height."""
    y, x = np.indices(shape)
    objects = np.zeros(shape, np.uint8)
    for number, (cy, cx, radius) in enumerate(disks, 1):
        objects[np.hypot(y - cy, x - cx) < radius] = number
    inside = [ndimage.distance_transform_edt(objects == i) for i in np.unique(objects)]
    height = np.clip(np.max(inside[1:], axis=0) / 3, 0, 1) * 255
    return objects, height.astype(np.uint8)


def same_objects(a, b):
    """Whether two label images have the same objects, whatever their numbers."""
    pairs = {(int(i), int(j)) for i, j in zip(a.ravel(), b.ravel(), strict=True)}
    return len(pairs) == len(np.unique(a)) == len(np.unique(b))


def test_touching_disks_come_apart():
    truth, height = disks((20, 15, 11), (20, 34, 9), (20, 48, 6))
    semantic = (truth > 0).astype(np.uint8)
    assert label_components(semantic).max() == 1
    found = label_hills(semantic, height)
    assert found.max() == 3
    assert found.dtype == np.uint32
    assert (found == truth).mean() > 0.97


def test_a_long_bent_object_stays_whole():
    y, x = np.indices((60, 60))
    ring = np.abs(np.hypot(y - 30, x - 30) - 20) < 4
    bent = ring & ~((x > 30) & (np.abs(y - 30) < 8))
    depth = ndimage.distance_transform_edt(bent)
    height = (np.clip(depth / 2, 0, 1) * 255).astype(np.uint8)
    found = label_hills(bent.astype(np.uint8), height, fill_holes=True)
    np.testing.assert_array_equal(found, bent)


@settings(deadline=None, max_examples=25)
@given(st.floats(0, np.pi), st.integers(3, 6), st.integers(20, 30))
def test_a_rod_stays_whole_at_any_angle(angle, thick, long):
    y, x = np.indices((70, 70)) - 35
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    rod = (along < long) & (across < thick)
    depth = ndimage.distance_transform_edt(rod)
    height = (np.clip(depth / 2, 0, 1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(label_hills(rod.astype(np.uint8), height), rod)


def test_rods_side_by_side_come_apart():
    truth = np.zeros((33, 60), np.uint8)
    truth[2:30, 4:56] = np.repeat([1, 2, 3, 4], 7)[:, None]
    depth = [ndimage.distance_transform_edt(truth == i) for i in range(1, 5)]
    height = (np.clip(np.max(depth, axis=0) / 3, 0, 1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(
        label_hills((truth > 0).astype(np.uint8), height), truth
    )


def test_a_cross_stays_whole_and_a_disk_in_its_corner_is_one_more():
    truth, height = disks((10, 40, 7))
    cross = np.zeros_like(truth)
    cross[4:36, 20:28] = cross[18:26, 4:44] = 2
    depth = ndimage.distance_transform_edt(cross)
    height = np.maximum(height, np.clip(depth / 3, 0, 1) * 255).astype(np.uint8)
    truth = np.maximum(truth, cross)
    found = label_hills((truth > 0).astype(np.uint8), height)
    assert found.max() == 2
    assert same_objects(found, truth)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 30), st.integers(0, 30))
def test_objects_that_the_border_cuts_keep_their_edges(top, left):
    truth, height = disks((25, 25, 13), (25, 47, 11), (45, 36, 10), shape=(60, 60))
    truth, height = truth[top : top + 30, left:], height[top : top + 30, left:]
    found = label_hills((truth > 0).astype(np.uint8), height)
    for number in range(1, int(found.max()) + 1):
        of = np.bincount(truth[found == number])
        assert of.max() >= 0.8 * of.sum()


def test_tiny_objects_are_found_beside_large_ones():
    truth, height = disks((20, 20, 12), (20, 34, 2.5))
    height[truth == 2] //= 2
    found = label_hills((truth > 0).astype(np.uint8), height)
    assert found.max() == 2
    assert label_hills((truth > 0).astype(np.uint8), height, min_size=50).max() == 1


def test_objects_at_the_border_are_found():
    truth, height = disks((0, 10, 9), (0, 27, 9), (39, 59, 9))
    assert label_hills((truth > 0).astype(np.uint8), height).max() == 3


def test_a_hole_is_filled_if_one_object_encloses_it():
    height = np.full((9, 18), 200, np.uint8)
    height[:, 8:10] = 20
    semantic = np.ones_like(height)
    semantic[4, 4] = 0
    semantic[4, 8:10] = 0
    plain = label_hills(semantic, height)
    filled = label_hills(semantic, height, fill_holes=True)
    assert plain.max() == filled.max() == 2
    assert plain[4, 4] == 0
    assert filled[4, 4] == filled[4, 3]
    # Two objects enclose this one.
    assert (filled[4, 8:10] == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 6)])
def test_an_empty_plane_has_no_objects(shape):
    nothing = np.zeros(shape, np.uint8)
    found = label_hills(nothing, nothing, min_size=3, fill_holes=True)
    assert found.shape == shape
    assert not found.any()


@settings(deadline=None)
@given(planes, heights, st.floats(0.05, 0.9))
def test_every_pixel_of_a_class_is_in_one_connected_object(semantic, height, valley):
    found = label_hills(semantic, height, valley=valley)
    np.testing.assert_array_equal(found > 0, semantic > 0)
    for number in range(1, int(found.max()) + 1):
        inside = found == number
        assert ndimage.label(inside, np.ones((3, 3)))[1] == 1
        assert len(np.unique(semantic[inside])) == 1
    first = [np.flatnonzero(found == n)[0] for n in range(1, int(found.max()) + 1)]
    assert first == sorted(first)


@settings(deadline=None)
@given(planes, heights)
def test_without_valleys_objects_are_connected_components(semantic, height):
    found = label_hills(semantic, height, valley=0.9999)
    assert same_objects(found, label_components(semantic))


@settings(deadline=None)
@given(planes, heights)
def test_deeper_valleys_only_join(semantic, height):
    shallow = label_hills(semantic, height, valley=0.1)
    deep = label_hills(semantic, height, valley=0.6)
    for number in range(1, int(shallow.max()) + 1):
        assert len(np.unique(deep[shallow == number])) == 1
