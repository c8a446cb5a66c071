"""All that is told of how well objects were found, for one image or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.metrics.objects import Matches, overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of IoU; the first and the last are what most papers print.
THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(9))


@dataclass(frozen=True)
class ObjectScores:
    """Sums over objects, from which all scores follow; those of images may be added.

    Attributes
    ----------
    matches : tuple of Matches
        At each of `THRESHOLDS`.
    iou : float
        Sum of the IoU of the pairs above 0.5.
    seg : float
        Sum over the true objects of the IoU with the predicted one that covers more
        than half of them, 0 if there is none.
    merges : int
        Predicted objects that cover more than half of two true ones or more.
    splits : int
        True objects that hold more than half of two predicted ones or more.
    """

    matches: tuple[Matches, ...]
    iou: float
    seg: float
    merges: int
    splits: int

    def __add__(self, other: ObjectScores) -> ObjectScores:
        return ObjectScores(
            tuple(a + b for a, b in zip(self.matches, other.matches, strict=True)),
            self.iou + other.iou,
            self.seg + other.seg,
            self.merges + other.merges,
            self.splits + other.splits,
        )

    @property
    def ap(self) -> dict[str, float]:
        """Average precision by threshold, from "0.50" to "0.90"."""
        return {
            f"{t:.2f}": m.average_precision
            for t, m in zip(THRESHOLDS, self.matches, strict=True)
        }

    @property
    def f1(self) -> float:
        """F1 at an IoU of 0.5."""
        return self.matches[0].f1

    @property
    def panoptic_quality(self) -> float:
        """Kirillov et al. 2019, equation 1; 1 where nothing is there."""
        m = self.matches[0]
        every = m.hits + (m.false + m.missed) / 2
        return self.iou / every if every else 1.0

    @property
    def seg_score(self) -> float:
        """SEG of the Cell Tracking Challenge (Maska et al. 2014); 1 without truth."""
        m = self.matches[0]
        objects = m.hits + m.missed
        return self.seg / objects if objects else 1.0


def score_objects(
    truth: NDArray[np.integer], predicted: NDArray[np.integer]
) -> ObjectScores:
    """Compare two label images of one shape; 0 is background.

    What carries one number is one object: of a stack whose planes are numbered each for
    itself, add the scores of the planes.
    """
    found = overlaps(truth, predicted)
    good = found.iou > 0.5
    covers = 2 * found.both > found.truth[found.rows]
    inside = 2 * found.both > found.predicted[found.columns]
    return ObjectScores(
        tuple(found.match(t) for t in THRESHOLDS),
        float(found.iou[good].sum()),
        float(found.iou[covers].sum()),
        _several(found.columns[covers]),
        _several(found.rows[inside]),
    )


def _several(objects: NDArray[np.int64]) -> int:
    """Return how many numbers come more than once."""
    return int((np.unique(objects, return_counts=True)[1] > 1).sum())
