import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from random_labels import random_pairs

from napari_unet.metrics import THRESHOLDS, overlaps, score_objects

labels = arrays(np.uint16, (12, 12), elements=st.integers(0, 4))


def squares(*boxes):
    image = np.zeros((20, 60), np.uint16)
    for number, (y, x, height, width) in enumerate(boxes, 1):
        image[y : y + height, x : x + width] = number
    return image


def test_thresholds_are_those_of_the_papers():
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def test_a_merge_and_a_split_are_counted():
    truth = squares((2, 2, 10, 10), (2, 12, 10, 10), (2, 30, 10, 20))
    found = squares((2, 2, 10, 20), (2, 30, 10, 9), (2, 41, 10, 9))
    scores = score_objects(truth, found)
    assert (scores.merges, scores.splits) == (1, 1)
    # Each half of the merged pair overlaps the whole by exactly a half.
    assert scores.ap["0.50"] == pytest.approx(1 / 5)
    assert scores.ap["0.90"] == 0


def test_seg_counts_what_covers_more_than_half():
    truth = squares((0, 0, 10, 10), (0, 20, 10, 10))
    found = squares((0, 0, 10, 8), (0, 20, 10, 4))
    assert score_objects(truth, found).seg_score == pytest.approx(0.8 / 2)


def test_panoptic_quality_is_quality_times_f1():
    truth = squares((0, 0, 10, 10), (0, 20, 10, 10))
    found = squares((0, 0, 10, 8), (0, 40, 10, 10))
    scores = score_objects(truth, found)
    assert scores.f1 == pytest.approx(1 / 2)
    assert scores.panoptic_quality == pytest.approx(0.8 * 1 / 2)


@given(labels)
def test_an_image_is_perfect_beside_itself(truth):
    scores = score_objects(truth, truth)
    assert set(scores.ap.values()) == {1.0}
    assert scores.f1 == scores.panoptic_quality == scores.seg_score == 1
    assert scores.merges == scores.splits == 0


@given(labels, labels, labels, labels)
def test_two_images_add_up_to_both_side_by_side(a, b, c, d):
    apart = score_objects(a, b) + score_objects(c, d)
    both = np.hstack([a, np.where(c > 0, c + 10, 0)])
    found = np.hstack([b, np.where(d > 0, d + 10, 0)])
    together = score_objects(both, found)
    assert together.matches == apart.matches
    assert together.seg == pytest.approx(apart.seg)
    assert (together.merges, together.splits) == (apart.merges, apart.splits)


def test_other_packages_count_the_same():
    # StarDist and Cellpose counted these; see `made_with` in the file.
    stored = json.loads(Path(__file__).with_name("peers.json").read_text())
    rows = iter(stored["rows"])
    for truth, found in random_pairs():
        pairs = overlaps(truth, found)
        for threshold in (0.5, 0.75, 0.9):
            at, *counts, quality = next(rows)
            matches = pairs.match(threshold)
            assert (threshold, matches.hits) == (at, counts[0])
            assert [matches.false, matches.missed] == counts[1:]
            # The definition leaves out an IoU of 0.5 itself, StarDist does not.
            if threshold == 0.5 and not (pairs.iou == 0.5).any():
                ours = score_objects(truth, found).panoptic_quality
                assert ours == pytest.approx(quality, abs=1e-6)
    assert next(rows, None) is None
