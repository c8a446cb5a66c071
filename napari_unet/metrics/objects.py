"""Average precision of instances over IoU thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matches:
    """How many objects were found at one IoU threshold.

    Counts of several images may be added.
    """

    hits: int
    false: int
    missed: int

    def __add__(self, other: "Matches") -> "Matches":
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


def overlaps(
    truth: NDArray[np.integer], predicted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the IoU of each true object (rows) with each predicted one (columns).

    Parameters
    ----------
    truth, predicted : ndarray
        Label images of one shape; 0 is background. Ids need not be consecutive.
    """
    t_ids, t = np.unique(truth, return_inverse=True)
    p_ids, p = np.unique(predicted, return_inverse=True)
    pairs = t.ravel().astype(np.int64) * len(p_ids) + p.ravel()
    counts = np.bincount(pairs, minlength=len(t_ids) * len(p_ids))
    both = counts.reshape(len(t_ids), len(p_ids)).astype(np.float64)
    either = both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both
    values: NDArray[np.float64] = both / either
    return values[np.ix_(t_ids != 0, p_ids != 0)]


def match(
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    threshold: float = 0.5,
) -> Matches:
    """Match objects one to one where their IoU reaches the threshold.

    Above 0.5 an object can match one other only; below, the assignment with the
    largest sum of IoU is taken.

    Parameters
    ----------
    truth, predicted : ndarray
        Label images of one shape; 0 is background.
    threshold : float
        The least IoU of a match, 0 to 1.
    """
    from scipy.optimize import linear_sum_assignment

    values = overlaps(truth, predicted)
    enough = np.where(values >= threshold, values, 0)
    rows, columns = linear_sum_assignment(enough, maximize=True)
    hits = int((enough[rows, columns] > 0).sum())
    return Matches(hits, values.shape[1] - hits, values.shape[0] - hits)
