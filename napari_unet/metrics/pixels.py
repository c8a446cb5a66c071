"""Dice and IoU of semantic masks."""

import numpy as np
from numpy.typing import NDArray

# Pixels counted at once, for which 64 bits each are taken.
BLOCK = 1 << 22


def confusion(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int
) -> NDArray[np.int64]:
    """Count pixels by true class (rows) and predicted class (columns).

    Parameters
    ----------
    truth, predicted : ndarray
        Of one shape, classes 0 to ``n_classes - 1``; a truth below 0 is not labelled
        and is left out.
    n_classes : int
        Background included.

    Returns
    -------
    ndarray
        ``(n_classes, n_classes)``, int64.
    """
    counts = np.zeros(n_classes * n_classes, np.int64)
    truth, predicted = truth.reshape(-1), predicted.reshape(-1)
    for begin in range(0, truth.size, BLOCK):
        true, said = (a[begin : begin + BLOCK] for a in (truth, predicted))
        labelled = true >= 0
        pairs = true[labelled].astype(np.int64) * n_classes + said[labelled]
        counts += np.bincount(pairs, minlength=len(counts))
    return counts.reshape(n_classes, n_classes)


def dice(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the Dice of each class (Dice 1945), NaN where it is in neither.

    Parameters
    ----------
    counts : ndarray
        ``(n_classes, n_classes)`` from `confusion`; sums over images may be given.
    """
    both = np.diag(counts).astype(np.float64)
    either = counts.sum(axis=0) + counts.sum(axis=1)
    scores = np.full(len(both), np.nan)
    np.divide(2 * both, either, out=scores, where=either > 0)
    return scores


def iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the intersection over union of each class (Jaccard 1912).

    Parameters
    ----------
    counts : ndarray
        ``(n_classes, n_classes)`` from `confusion`.
    """
    d = dice(counts)
    return d / (2 - d)
