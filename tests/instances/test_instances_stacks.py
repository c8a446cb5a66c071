"""Objects in stacks, (Z, Y, X)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_unet.instances import label_components, label_hills

CORNERS = np.ones((3, 3, 3))
SHAPES = st.tuples(st.integers(2, 6), st.integers(1, 7), st.integers(1, 7))
stacks = arrays(np.uint8, SHAPES, elements=st.integers(0, 1))
classes = arrays(np.uint8, SHAPES, elements=st.integers(0, 2))


def balls(*balls, shape=(24, 26, 28)):
    """Return of which ball each voxel is, and the height: low at its surface."""
    at = np.indices(shape)
    truth = np.zeros(shape, np.uint8)
    for number, (*centre, radius) in enumerate(balls, 1):
        far = np.linalg.norm(at - np.reshape(centre, (3, 1, 1, 1)), axis=0)
        truth[far < radius] = number
    depth = [
        ndimage.distance_transform_edt(truth == number)
        for number in range(1, len(balls) + 1)
    ]
    return truth, (np.clip(np.max(depth, axis=0) / 3, 0, 1) * 255).astype(np.uint8)


@given(classes)
def test_components_touch_through_corners_and_planes(semantic):
    objects = label_components(semantic)
    assert objects.dtype == np.uint32
    total = 0
    for value in (1, 2):
        expected, count = ndimage.label(semantic == value, CORNERS)
        total += count
        for number in range(1, count + 1):
            assert len(np.unique(objects[expected == number])) == 1
    np.testing.assert_array_equal(np.unique(objects[objects > 0]), range(1, total + 1))


@given(stacks)
def test_holes_are_those_of_scipy(semantic):
    filled = label_components(semantic, fill_holes=True)
    np.testing.assert_array_equal(filled > 0, ndimage.binary_fill_holes(semantic))
    before = label_components(semantic)
    np.testing.assert_array_equal(filled[semantic > 0], before[semantic > 0])


@given(arrays(np.uint8, (6, 7), elements=st.integers(0, 2)), st.integers(0, 5))
def test_components_of_a_plane_are_those_of_a_stack_of_one(semantic, min_size):
    options = {"fill_holes": True, "min_size": min_size}
    plane = label_components(semantic, **options)
    np.testing.assert_array_equal(label_components(semantic[None], **options)[0], plane)


def test_a_tunnel_is_no_hole_and_a_bubble_is():
    semantic = np.ones((5, 5, 7), np.uint8)
    semantic[:, 2, 2] = 0
    semantic[2, 2, 5] = 0
    filled = label_components(semantic, fill_holes=True)
    assert (filled[:, 2, 2] == 0).all()
    assert filled[2, 2, 5] == 1


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2), st.integers(4, 6), st.integers(4, 6))
def test_touching_balls_come_apart(axis, first, second):
    centres = np.array([[10, 11, 12], [10, 11, 12]])
    centres[0, axis] = 5
    centres[1, axis] = 5 + first + second - 1
    truth, height = balls((*centres[0], first), (*centres[1], second))
    semantic = (truth > 0).astype(np.uint8)
    assert label_components(semantic).max() == 1
    found = label_hills(semantic, height)
    np.testing.assert_array_equal(found > 0, truth > 0)
    assert found.max() == 2
    shared = np.histogram2d(truth[truth > 0], found[truth > 0], bins=2)[0]
    shared /= shared.sum(axis=1, keepdims=True)
    assert (np.sort(shared, axis=1)[:, 1] > 0.95).all()
    assert shared[:, 0].argmax() != shared[:, 1].argmax()


def test_an_object_has_one_number_through_the_planes():
    z, y, x = np.indices((30, 30, 30))
    bent = np.hypot(np.hypot(y - 15, z - 28) - 18, x - 15) < 4
    bent &= z < 27
    assert ndimage.label(bent[20])[1] == 2
    depth = ndimage.distance_transform_edt(bent)
    height = (np.clip(depth / 2, 0, 1) * 255).astype(np.uint8)
    found = label_hills(bent.astype(np.uint8), height, fill_holes=True)
    np.testing.assert_array_equal(found, bent)


def test_balls_that_the_border_cuts_are_found():
    truth, height = balls((0, 12, 8, 7), (0, 12, 20, 6), (23, 0, 0, 6), (12, 25, 14, 2))
    found = label_hills((truth > 0).astype(np.uint8), height, fill_holes=True)
    assert found.max() == 4
    assert len(np.unique(found[0])) == 3


def test_small_balls_are_left_out():
    truth, height = balls((10, 10, 8, 6), (10, 10, 20, 2))
    semantic = (truth > 0).astype(np.uint8)
    assert label_hills(semantic, height).max() == 2
    left = label_hills(semantic, height, min_size=(truth == 2).sum() + 1)
    np.testing.assert_array_equal(left, truth == 1)


@settings(deadline=None)
@given(classes, st.floats(0.05, 0.9), st.randoms(use_true_random=False))
def test_every_voxel_of_a_class_is_in_one_connected_hill(semantic, valley, random):
    values = [random.randrange(256) for _ in range(semantic.size)]
    height = np.reshape(values, semantic.shape).astype(np.uint8)
    found = label_hills(semantic, height, valley=valley)
    np.testing.assert_array_equal(found > 0, semantic > 0)
    for number in range(1, int(found.max()) + 1):
        inside = found == number
        assert ndimage.label(inside, CORNERS)[1] == 1
        assert len(np.unique(semantic[inside])) == 1


@pytest.mark.parametrize("label", [label_components, label_hills])
@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 1, 3), (2, 5, 6)])
def test_an_empty_stack_has_no_objects(label, shape):
    nothing = np.zeros(shape, np.uint8)
    maps = (nothing,) if label is label_components else (nothing, nothing)
    found = label(*maps, min_size=3, fill_holes=True)
    assert found.shape == shape
    assert not found.any()
