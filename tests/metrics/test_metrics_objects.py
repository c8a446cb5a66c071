import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_unet.metrics import Matches, match, overlaps

labels = arrays(np.uint16, (12, 12), elements=st.integers(0, 4))


def test_counts_found_split_and_missed_objects():
    truth = np.zeros((10, 30), np.uint16)
    truth[2:8, 2:8], truth[2:8, 12:18], truth[2:8, 22:28] = 5, 6, 9
    found = np.zeros_like(truth)
    found[2:8, 2:7] = 1
    found[2:8, 12:15], found[2:8, 15:18] = 2, 3
    result = match(truth, found, 0.6)
    assert result == Matches(hits=1, false=2, missed=2)
    assert result.average_precision == pytest.approx(1 / 5)


@given(labels)
def test_an_image_matches_itself_whatever_the_numbers(truth):
    renumbered = np.array([0, 40, 7, 300, 2])[truth]
    n = len(np.unique(truth[truth > 0]))
    assert match(truth, renumbered, 0.99) == Matches(n, 0, 0)


@given(labels, labels)
def test_overlaps_agree_with_the_definition(truth, predicted):
    values = overlaps(truth, predicted)
    for i, t in enumerate(np.unique(truth[truth > 0])):
        for j, p in enumerate(np.unique(predicted[predicted > 0])):
            a, b = truth == t, predicted == p
            assert values[i, j] == pytest.approx((a & b).sum() / (a | b).sum())


def test_nothing_in_both_is_perfect():
    empty = np.zeros((4, 4), np.uint8)
    assert match(empty, empty).average_precision == 1
