"""Classes, scribbles, objects and verified regions; from labels to targets."""

from napari_unet.annotation.classes import ClassScheme, LabelClass

__all__ = ["ClassScheme", "LabelClass"]
