import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

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
    found = overlaps(truth, predicted)
    told = dict(
        zip(zip(found.rows, found.columns, strict=True), found.iou, strict=True)
    )
    for i, t in enumerate(np.unique(truth[truth > 0])):
        for j, p in enumerate(np.unique(predicted[predicted > 0])):
            a, b = truth == t, predicted == p
            expected = (a & b).sum() / (a | b).sum()
            assert told.get((i, j), 0) == pytest.approx(expected)


@given(labels, labels, st.sampled_from([0.1, 0.3, 0.5, 0.7]))
def test_as_many_match_as_can(truth, predicted, threshold):
    found = overlaps(truth, predicted)
    n, m = len(found.truth), len(found.predicted)
    enough = np.zeros((n, m))
    enough[found.rows, found.columns] = found.iou >= threshold
    rows, columns = linear_sum_assignment(enough, maximize=True)
    hits = int(enough[rows, columns].sum())
    assert found.match(threshold) == Matches(hits, m - hits, n - hits)


def test_nothing_in_both_is_perfect():
    empty = np.zeros((4, 4), np.uint8)
    assert match(empty, empty).average_precision == 1
