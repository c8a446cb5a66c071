import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_unet.metrics import confusion, dice, iou, pixels

masks = arrays(np.int64, (7, 9), elements=st.integers(0, 2))


@given(masks)
def test_a_mask_against_itself_is_perfect(mask):
    scores = dice(confusion(mask, mask, 3))
    assert np.nanmin(scores) == 1
    assert np.array_equal(np.isnan(scores), ~np.isin(np.arange(3), mask))


@given(masks, masks)
def test_agrees_with_the_definition(truth, predicted):
    counts = confusion(truth, predicted, 3)
    for k, (d, j) in enumerate(zip(dice(counts), iou(counts), strict=True)):
        a, b = truth == k, predicted == k
        if a.any() or b.any():
            assert d == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
            assert j == pytest.approx((a & b).sum() / (a | b).sum())


@given(masks, masks, masks)
def test_unlabelled_pixels_do_not_count(truth, predicted, other):
    truth = np.where(other == 0, -1, truth)
    changed = np.where(truth < 0, other, predicted)
    before, after = confusion(truth, predicted, 3), confusion(truth, changed, 3)
    assert np.array_equal(before, after)


@pytest.mark.parametrize("block", [1, 7, 10_000])
def test_pixels_are_counted_in_blocks(monkeypatch, block):
    random = np.random.default_rng(0)
    truth, predicted = random.integers(-1, 3, (11, 9)), random.integers(0, 3, (11, 9))
    monkeypatch.setattr(pixels, "BLOCK", block)
    expected = [
        [np.sum((truth == t) & (predicted == p)) for p in range(3)] for t in range(3)
    ]
    np.testing.assert_array_equal(confusion(truth, predicted, 3), expected)
