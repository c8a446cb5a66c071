"""Classes, scribbles, objects and verified regions; from labels to targets."""

from napari_unet.annotation.annotation import Annotation
from napari_unet.annotation.blocks import Blocks
from napari_unet.annotation.classes import ClassScheme, LabelClass
from napari_unet.annotation.targets import IGNORE, Targets, make_targets

__all__ = [
    "IGNORE",
    "Annotation",
    "Blocks",
    "ClassScheme",
    "LabelClass",
    "Targets",
    "make_targets",
]
