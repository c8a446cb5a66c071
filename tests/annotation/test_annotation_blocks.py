"""The sparse store behaves like a dense array, and its snapshots do not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from napari_unet.annotation import Blocks
from napari_unet.images import Region

SHAPE = (2, 300, 530)


@st.composite
def regions(draw, outside=0):
    y0 = draw(st.integers(-outside, SHAPE[1] - 1))
    x0 = draw(st.integers(-outside, SHAPE[2] - 1))
    return Region(
        y0,
        x0,
        draw(st.integers(y0 + 1, SHAPE[1] + outside)),
        draw(st.integers(x0 + 1, SHAPE[2] + outside)),
        {"Z": draw(st.integers(0, 1))},
    )


class AgainstDense(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.blocks = Blocks(SHAPE, np.uint8, "ZYX")
        self.dense = np.zeros(SHAPE, np.uint8)
        self.kept = []

    @rule(region=regions(), value=st.integers(0, 3))
    def fill(self, region, value):
        self.blocks.write(region, value)
        self.dense[self.blocks.index(region)] = value

    @rule(region=regions(), seed=st.integers(0, 99))
    def paint(self, region, seed):
        values = np.random.default_rng(seed).integers(0, 2, region.shape)
        self.blocks.write(region, values)
        self.dense[self.blocks.index(region)] = values

    @rule()
    def keep(self):
        self.kept.append((self.blocks.snapshot(), self.dense.copy()))

    @rule(region=regions())
    def write_into_a_snapshot(self, region):
        if self.kept:
            blocks, dense = self.kept[-1]
            blocks.write(region, 7)
            dense[blocks.index(region)] = 7

    @rule()
    def follow_a_snapshot(self):
        if self.kept:
            blocks, dense = self.kept.pop()
            self.blocks.follow(blocks)
            self.dense = dense

    @rule(region=regions(outside=40))
    def read_beyond_the_edge(self, region):
        padded = np.pad(self.dense[region.plane["Z"]], 40)
        there = padded[region.y0 + 40 : region.y1 + 40, region.x0 + 40 : region.x1 + 40]
        np.testing.assert_array_equal(self.blocks.read(region), there)

    @rule(region=regions())
    def find_differences(self, region):
        other = self.dense.copy()
        other[self.blocks.index(region)] += 1
        assert self.blocks.differing(self.dense) == []
        touched = [self.blocks.region(key) for key in self.blocks.keys_in(region)]
        assert self.blocks.differing(other) == touched
        assert self.blocks.differing(other, region) == touched

    @invariant()
    def same(self):
        np.testing.assert_array_equal(self.blocks.dense(), self.dense)
        for blocks, dense in self.kept:
            np.testing.assert_array_equal(blocks.dense(), dense)

    @invariant()
    def values_are_those_of_each_block(self):
        for blocks, dense in ((self.blocks, self.dense), *self.kept):
            for key in blocks.keys_in(Region(0, 0, *SHAPE[1:], {"Z": 1})):
                there = np.setdiff1d(dense[blocks.index(blocks.region(key))], 0)
                np.testing.assert_array_equal(blocks.values(key), there)

    @invariant()
    def only_what_is_drawn_takes_memory(self):
        for key in self.blocks.keys():
            assert self.blocks.block(key).any()


AgainstDense.TestCase.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None
)
TestAgainstDense = AgainstDense.TestCase


def test_a_large_image_with_a_few_strokes_takes_little_memory():
    blocks = Blocks((8192, 8192), np.uint8)
    for i in range(10):
        blocks.write(Region(i * 700, i * 600, i * 700 + 8, i * 600 + 200), 1)
    assert blocks.nbytes < 3e6


def test_a_snapshot_shares_what_was_not_painted_since():
    blocks = Blocks((512, 512), np.uint8)
    blocks.write(Region(0, 0, 512, 512), 1)
    snapshot = blocks.snapshot()
    blocks.write(Region(0, 0, 5, 5), 2)
    shared = [
        np.shares_memory(blocks.block(key), snapshot.block(key))
        for key in blocks.keys()
    ]
    assert shared == [False, True, True, True]


def test_a_block_is_handed_out_read_only():
    blocks = Blocks((9, 9), np.uint8)
    blocks.write(Region(0, 0, 2, 2), 1)
    with pytest.raises(ValueError, match="read-only"):
        blocks.block((0, 0))[0, 0] = 5


@given(regions())
@settings(max_examples=20, deadline=None)
def test_erasing_frees_the_blocks(region):
    blocks = Blocks(SHAPE, np.uint32, "ZYX")
    blocks.write(region, 70_000)
    blocks.write(region, 0)
    assert len(blocks) == 0
    blocks.write(region, 0)
    assert blocks.nbytes == 0


@pytest.mark.parametrize(
    "region",
    [
        Region(-1, 0, 5, 5, {"Z": 0}),
        Region(0, 0, 301, 5, {"Z": 0}),
        Region(0, 0, 5, 5, {"Z": 2}),
        Region(0, 0, 5, 5),
        Region(0, 0, 5, 5, {"T": 0}),
    ],
)
def test_writing_beside_the_image_is_refused(region):
    blocks = Blocks(SHAPE, np.uint8, "ZYX")
    with pytest.raises(ValueError, match="Region"):
        blocks.write(region, 1)
    assert len(blocks) == 0


def test_shape_and_axes_must_agree():
    with pytest.raises(ValueError, match="axes"):
        Blocks((5, 5), np.uint8, "ZYX")
    with pytest.raises(ValueError, match="not one of"):
        Blocks((5, 5), np.uint8).differing(np.zeros((5, 6)))
