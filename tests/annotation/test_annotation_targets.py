"""From labels to targets, compared with the definitions pixel by pixel."""

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_unet.annotation import IGNORE, make_targets

SHAPE = (14, 17)


def labels(dtype, most):
    return hnp.arrays(dtype, SHAPE, elements=st.integers(0, most), fill=st.just(0))


@st.composite
def boxes(draw):
    """Return objects: rectangles over each other."""
    out = np.zeros(SHAPE, np.uint32)
    for index in draw(st.lists(st.integers(1, 2**32 - 1), max_size=6, unique=True)):
        y, x = draw(st.integers(0, 12)), draw(st.integers(0, 15))
        out[y : y + draw(st.integers(1, 7)), x : x + draw(st.integers(1, 7))] = index
    return out


def distance_to(mask):
    """Return the distance of each pixel to the nearest one of a mask."""
    at = np.argwhere(mask)
    grid = np.moveaxis(np.indices(mask.shape), 0, -1)
    return np.sqrt(((grid[:, :, None] - at) ** 2).sum(-1)).min(-1, initial=np.inf)


@given(labels(np.uint8, 3), boxes(), labels(np.bool_, 1), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_every_pixel_is_what_the_definition_says(scribbles, objects, verified, second):
    ids = [int(i) for i in np.unique(objects) if i]
    classes = dict.fromkeys(ids[::2], second)
    t = make_targets(scribbles, objects, classes, verified)
    gaps = make_targets(scribbles, objects, classes, verified, gaps=True)
    assert (t.classes.dtype, t.weight.dtype) == (np.int64, np.float32)
    assert (t.boundary.dtype, t.known.dtype) == (np.bool_, np.bool_)

    painted = scribbles > 0
    np.testing.assert_array_equal(
        t.classes[painted], scribbles[painted].astype(int) - 1
    )
    unknown = ~painted & ~verified
    assert (t.classes[unknown] == IGNORE).all()
    assert (t.weight[unknown] == 0).all()
    assert not t.known[~verified].any()
    rest = verified & ~painted
    assert (t.classes[rest & (objects == 0)] == 0).all()
    for y, x in np.argwhere(t.classes != IGNORE):
        near = objects[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        crowded = t.known[y, x] and len(np.unique(near[near > 0])) > 1
        assert t.weight[y, x] == (5 if crowded else 1)
    for y, x in np.argwhere(rest):
        around = np.s_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        own = objects[y, x]
        alone = np.isin(objects[around], [0, own]).all()
        edge = own > 0 and (objects[around] != own).any()
        kind = classes.get(int(own), 1) if own else 0
        assert t.classes[y, x] == kind
        assert gaps.classes[y, x] == (kind if alone or not own else 0)
        assert t.boundary[y, x] == edge
        # Nobody looked at a neighbour: it may belong to another object.
        assert t.known[y, x] == (edge or own == 0 or verified[around].all())


@given(boxes(), labels(np.bool_, 1))
@settings(max_examples=60, deadline=None)
def test_background_between_objects_weighs_what_equation_2_says(objects, verified):
    t = make_targets(np.zeros(SHAPE, np.uint8), objects, {}, verified, gaps=True)
    apart = np.sort(
        [distance_to(objects == i) for i in np.unique(objects) if i], axis=0
    )
    expected = np.where(verified, 1.0, 0.0)
    if len(apart) >= 2:
        extra = 10 * np.exp(-((apart[0] + apart[1]) ** 2) / (2 * 5**2))
        expected += np.where(verified & (t.classes == 0), extra, 0)
    np.testing.assert_allclose(t.weight, expected, atol=0.01)


@given(boxes())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_connected_components_tells_touching_objects_apart(connectivity, objects):
    whole = np.ones(SHAPE, bool)
    t = make_targets(np.zeros(SHAPE, np.uint8), objects, {}, whole, gaps=True)
    found = cc3d.connected_components(t.classes == 1, connectivity=connectivity)
    for part in range(1, int(found.max()) + 1):
        assert len(np.unique(objects[found == part])) == 1


def test_background_between_objects_weighs_more():
    objects = np.zeros((20, 40), np.uint8)
    objects[5:15, 5:15], objects[5:15, 19:30] = 1, 2
    scribbles = np.zeros(objects.shape, np.uint8)
    t = make_targets(scribbles, objects, {}, objects >= 0, gaps=True)
    assert t.weight[10, 16] == pytest.approx(1 + 10 * np.exp(-25 / 50), rel=1e-5)
    assert t.weight[10, 10] == 1


def test_a_scribble_against_an_object_leaves_the_boundary_unknown():
    objects = np.ones((6, 6), np.uint32)
    scribbles = np.zeros((6, 6), np.uint8)
    scribbles[0], scribbles[1] = 1, 2
    t = make_targets(scribbles, objects, {}, np.ones((6, 6), bool))
    assert not t.known[0].any()
    assert t.known[1:].all()
    assert t.classes[0].max() == 0


def test_pixels_where_objects_touch_or_nearly_do_weigh_more():
    objects = np.zeros((20, 40), np.int32)
    objects[5:15, 4:12], objects[5:15, 12:20] = 1, 2
    objects[5:15, 22:30] = 3
    verified = np.ones(objects.shape, bool)
    verified[:, 25:] = False
    weight = make_targets(
        np.zeros_like(objects, np.uint8), objects, {}, verified
    ).weight
    more = weight[10] > 1
    # Columns 11 and 12 touch; between 19 and 22 there are two pixels of background.
    assert np.flatnonzero(more).tolist() == [10, 11, 12, 13, 20, 21]
    assert set(weight[:, :25].ravel()) == {1.0, weight.max()}
    assert not weight[:, 25:].any()


def test_the_edge_of_the_crop_is_no_boundary():
    whole = np.ones((6, 6), np.uint32)
    t = make_targets(np.zeros((6, 6), np.uint8), whole, {}, whole > 0)
    assert not t.boundary.any()
    assert t.known.all()


def test_only_a_part_can_be_kept():
    objects = np.zeros((8, 8), np.uint32)
    objects[2:5, 2:5] = 1
    t = make_targets(np.zeros((8, 8), np.uint8), objects, {}, np.ones((8, 8), bool))
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    part = t.only(mask)
    np.testing.assert_array_equal(part.known, mask)
    np.testing.assert_array_equal(part.weight > 0, mask)
    np.testing.assert_array_equal(part.classes[:4], t.classes[:4])
    assert (part.classes[4:] == IGNORE).all()
