"""What happens to the labels of a class that is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation.classes import MOST_CLASSES
from napari_unet.annotation.join import map_classes
from napari_unet.annotation.targets import classes_of

if TYPE_CHECKING:
    from napari_unet.annotation.annotation import Annotation


def remove_class(annotation: Annotation, index: int, into: int | None = None) -> None:
    """Follow `ClassScheme.remove` in the labels of an image.

    Later classes move down by one.

    Parameters
    ----------
    annotation : Annotation
        What is changed.
    index : int
        The class to remove, 1 or above.
    into : int, optional
        The class, by its index before the removal, that takes over its pixels and
        objects. If not given, its scribbles are erased, and so are its objects: their
        pixels are no longer verified, since nobody said what else is there.
    """
    if index < 1 or into == index:
        raise ValueError(f"class {index} cannot be removed into {into}")
    if into is None:
        for region in map(annotation.scribbles.region, annotation.scribbles.keys()):
            drawn = annotation.scribbles.read(region)
            annotation.write_scribbles(region, np.where(drawn == index + 1, 0, drawn))
    if not into:
        _remove_objects(annotation, index, keep_verified=into == 0)
    where = [c - (c > index) for c in range(MOST_CLASSES + 1)]
    where[index] = where[into or 0]
    map_classes(annotation, where)


def _remove_objects(annotation: Annotation, label: int, keep_verified: bool) -> None:
    for region in map(annotation.objects.region, annotation.objects.keys()):
        ids = annotation.objects.read(region)
        gone = classes_of(ids, annotation.object_classes) == label
        annotation.write_objects(region, np.where(gone, 0, ids))
        if not keep_verified:
            verified = annotation.verified.read(region)
            annotation.verify(region, verified & ~gone)
    classes = annotation.object_classes
    annotation.set_object_classes({i: 1 for i, c in classes.items() if c == label})
