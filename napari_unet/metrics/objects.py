"""Which objects of two label images are the same, and average precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Matches:
    """How many objects were found at one IoU threshold.

    Counts of several images may be added.
    """

    hits: int
    false: int
    missed: int

    def __add__(self, other: Matches) -> Matches:
        return Matches(
            self.hits + other.hits,
            self.false + other.false,
            self.missed + other.missed,
        )

    @property
    def average_precision(self) -> float:
        """TP / (TP + FP + FN), as in Caicedo et al. 2019; 1 where nothing is there."""
        every = self.hits + self.false + self.missed
        return self.hits / every if every else 1.0

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); 1 where nothing is there."""
        every = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / every if every else 1.0


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How the objects of two label images lie over each other; pairs that meet alone.

    Attributes
    ----------
    truth, predicted : ndarray
        Pixels of each object, in the order of their numbers, int64.
    rows, columns : ndarray
        Of each pair: which true object meets which predicted one.
    both : ndarray
        Pixels that each pair shares.
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    both: NDArray[np.int64]

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair."""
        either = self.truth[self.rows] + self.predicted[self.columns] - self.both
        values: NDArray[np.float64] = self.both / either
        return values

    def match(self, threshold: float = 0.5) -> Matches:
        """Match as many objects one to one as reach an IoU of `threshold`."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_bipartite_matching

        n, m = len(self.truth), len(self.predicted)
        enough = self.iou >= threshold
        pairs = self.rows[enough], self.columns[enough]
        graph = csr_array((np.ones(len(pairs[0]), np.uint8), pairs), shape=(n, m))
        hits = int((maximum_bipartite_matching(graph, "column") >= 0).sum())
        return Matches(hits, m - hits, n - hits)


def overlaps(truth: NDArray[np.integer], predicted: NDArray[np.integer]) -> Overlaps:
    """Find which objects of two label images meet.

    Parameters
    ----------
    truth, predicted : ndarray of integers
        Label images of one shape; 0 is background. Ids need not be consecutive; they
        have 32 bits at most.
    """
    import fastremap

    t_ids, t_size = fastremap.unique(truth, return_counts=True)
    p_ids, p_size = fastremap.unique(predicted, return_counts=True)
    # Most pixels are background; both numbers of each other one fit into one.
    meet = (truth > 0) & (predicted > 0)
    codes = truth[meet].astype(np.uint64) << np.uint64(32)
    codes |= predicted[meet].astype(np.uint64)
    pairs, both = fastremap.unique(codes, return_counts=True)
    rows = np.searchsorted(t_ids, (pairs >> np.uint64(32)).astype(t_ids.dtype))
    columns = np.searchsorted(p_ids, pairs.astype(np.uint32).astype(p_ids.dtype))
    return Overlaps(
        t_size[t_ids != 0].astype(np.int64),
        p_size[p_ids != 0].astype(np.int64),
        rows - int(0 in t_ids),
        columns - int(0 in p_ids),
        both.astype(np.int64),
    )


def match(
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    threshold: float = 0.5,
) -> Matches:
    """Match the objects of two label images; see `Overlaps.match`."""
    return overlaps(truth, predicted).match(threshold)
