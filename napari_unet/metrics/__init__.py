"""How well a segmentation fits the truth."""

from napari_unet.metrics.objects import Matches, Overlaps, match, overlaps
from napari_unet.metrics.pixels import confusion, dice, iou
from napari_unet.metrics.scores import THRESHOLDS, ObjectScores, score_objects

__all__ = [
    "THRESHOLDS",
    "Matches",
    "ObjectScores",
    "Overlaps",
    "confusion",
    "dice",
    "iou",
    "match",
    "overlaps",
    "score_objects",
]
