"""Hills, pixel by pixel as they are defined, against the fast way."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_unet.instances import grid, label_hills

SHAPES = [(1, 5), (6, 1), (7, 9), (1, 6, 7), (3, 4, 5), (5, 1, 4)]


@st.composite
def maps(draw, shapes=SHAPES):
    """Classes and heights, of many levels or of few, so that many are equal."""
    shape = draw(st.sampled_from(shapes))
    classes = st.sampled_from([(0, 1), (1,), (0, 1, 2), (0, 3, 255)])
    levels = st.sampled_from([(0, 255), (0, 3), (250, 255)])
    semantic = arrays(np.uint8, shape, elements=st.sampled_from(draw(classes)))
    height = arrays(np.uint8, shape, elements=st.integers(*draw(levels)))
    return draw(semantic), draw(height)


def define(semantic, height, valley):
    """Return the hills as the documentation of `label_hills` has them."""
    ndim = semantic.ndim
    mean = height.astype(int)
    for axis in range(ndim):
        mean = ndimage.convolve1d(mean, [1, 2, 1], axis=axis, mode="nearest")
    top = {
        tuple(map(int, at)): int(mean[tuple(at)]) + 4 ** (ndim - 2)
        for at in np.argwhere(semantic)
    }
    later = [o for o in product((-1, 0, 1), repeat=ndim) if o > (0,) * ndim]
    around = [*later, *(tuple(-i for i in o) for o in later)]

    def beside(at):
        for offset in around:
            there = tuple(a + b for a, b in zip(at, offset, strict=True))
            if there in top and semantic[there] == semantic[at]:
                yield there

    def climb(at):
        best = max((at, *beside(at)), key=top.get)
        return at if best == at else climb(best)

    summit = {at: climb(at) for at in top}
    saddles = {}
    for at in top:
        for there in beside(at):
            pair = tuple(sorted((summit[at], summit[there])))
            height_here = min(top[at], top[there])
            saddles[pair] = max(saddles.get(pair, 0), height_here)
    parent = {s: s for s in summit.values()}

    def root(s):
        return s if parent[s] == s else root(parent[s])

    for (a, b), saddle in sorted(saddles.items(), key=lambda item: (-item[1], item[0])):
        low, high = sorted((root(a), root(b)), key=top.get)
        if saddle > (1 - valley) * top[low]:
            parent[low] = high
    found = np.zeros(semantic.shape, np.uint32)
    numbers = {}
    for at in top:
        found[at] = numbers.setdefault(root(summit[at]), len(numbers) + 1)
    return found


@settings(deadline=None)
@given(maps(), st.sampled_from([0.05, 0.1, 0.3, 0.9, 1]))
def test_hills_are_what_they_are_defined_to_be(pair, valley):
    found = label_hills(*pair, valley=valley)
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, define(*pair, valley))


@pytest.mark.parametrize("shape", [(24, 24), (6, 10, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_saddles_of_one_height_have_an_order(shape, seed):
    height = np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)
    semantic = np.ones_like(height)
    expected = define(semantic, height, 0.1)
    np.testing.assert_array_equal(label_hills(semantic, height, valley=0.1), expected)


@settings(deadline=None)
@given(maps([(7, 9), (1, 1)]), st.floats(0.05, 0.9), st.booleans(), st.integers(0, 9))
def test_a_plane_is_a_stack_of_one(pair, valley, fill_holes, min_size):
    options = {"valley": valley, "fill_holes": fill_holes, "min_size": min_size}
    plane = label_hills(*pair, **options)
    stack = label_hills(*(image[None] for image in pair), **options)
    np.testing.assert_array_equal(stack, plane[None])


@pytest.mark.parametrize("shape", [(90, 70), (9, 30, 20)])
def test_the_order_of_work_and_of_memory_does_not_matter(shape, monkeypatch):
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    height = np.clip(128 + 128 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    semantic = (height > 60).astype(np.uint8)
    expected = label_hills(semantic, height)
    assert expected.max() > 3
    np.testing.assert_array_equal(label_hills(semantic, height), expected)
    monkeypatch.setattr(grid, "BLOCK", 57)
    again = label_hills(np.asfortranarray(semantic), np.asfortranarray(height))
    np.testing.assert_array_equal(again, expected)
