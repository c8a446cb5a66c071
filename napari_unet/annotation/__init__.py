"""Classes, scribbles, objects and verified regions; from labels to targets."""

from napari_unet.annotation.annotation import Annotation
from napari_unet.annotation.archive import Saved
from napari_unet.annotation.autosave import Autosave
from napari_unet.annotation.blocks import Blocks
from napari_unet.annotation.classes import ClassScheme, LabelClass
from napari_unet.annotation.key import image_key
from napari_unet.annotation.parts import objects_of_mask
from napari_unet.annotation.removal import remove_class
from napari_unet.annotation.split import hold_out
from napari_unet.annotation.storage import AnnotationStore
from napari_unet.annotation.take_in import (
    classes_of_mask,
    take_in_objects,
    take_in_scribbles,
)
from napari_unet.annotation.targets import IGNORE, Targets, make_targets

__all__ = [
    "IGNORE",
    "Annotation",
    "AnnotationStore",
    "Autosave",
    "Blocks",
    "ClassScheme",
    "LabelClass",
    "Saved",
    "Targets",
    "classes_of_mask",
    "hold_out",
    "image_key",
    "make_targets",
    "objects_of_mask",
    "remove_class",
    "take_in_objects",
    "take_in_scribbles",
]
