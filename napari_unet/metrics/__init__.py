"""How well a segmentation fits the truth."""

from napari_unet.metrics.objects import Matches, match, overlaps
from napari_unet.metrics.overlap import confusion, dice, iou

__all__ = ["Matches", "confusion", "dice", "iou", "match", "overlaps"]
