"""Label files of an image, taken into its annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation import take_in_objects, take_in_scribbles
from napari_unet.errors import AnnotationError, TrainingError
from napari_unet.images import read_labels_of
from napari_unet.inference.volumes import volumes
from napari_unet.instances import label_components

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_unet.annotation import Annotation
    from napari_unet.images import Image
    from napari_unet.models import ModelSpec

# What a model's provenance says of the masks that it was trained on.
MASKS = "masks"


def masks_hold_objects(spec: ModelSpec, said: bool | None) -> bool:
    """Tell whether masks hold numbered objects, or else the class of each pixel.

    What was `said` counts, else what the model learnt from before it goes on. Of a
    model of several classes, objects without a class would teach the first one alone.
    """
    if said is not None:
        return said
    before = spec.provenance.get(MASKS)
    return len(spec.classes) == 2 if before is None else before == "objects"


def objects_of_mask(
    image: Image, mask: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], bool]:
    """Return the objects of a mask, and whether it is black and white.

    That is a mask with one value beside 0, such as 255, in parts that do not touch:
    each of them is an object. Along Z they are followed.

    Parameters
    ----------
    image : Image
        What the mask is of.
    mask : ndarray, (..., Y, X), uint32
        Along the image's `stack_axes`, Y and X.
    """
    there = mask[mask > 0]
    if not there.size or (there != there[0]).any():
        return mask, False
    objects = np.zeros_like(mask)
    found, several = 0, False
    for volume in volumes(image.planes()):
        places = [tuple(plane.values()) for plane in volume]
        parts = label_components(np.stack([mask[at] > 0 for at in places], dtype="u1"))
        most = int(parts.max())
        several |= most > 1
        np.add(parts, found, out=parts, where=parts > 0)
        found += most
        for at, part in zip(places, parts, strict=True):
            objects[at] = part
    return (objects, True) if several else (mask, False)


def take_mask(
    annotation: Annotation, image: Image, path: Path, *, objects: bool, n_classes: int
) -> bool:
    """Take a complete mask in: numbered objects, or the class of each pixel.

    Returns
    -------
    bool
        Whether objects were to be numbered, see `objects_of_mask`.

    Raises
    ------
    TrainingError
        If it has a class that is not among `n_classes`, background included.
    ImageError
        If it cannot be read or does not fit.
    """
    mask = read_labels_of(image, path)
    if objects:
        mask, black_and_white = objects_of_mask(image, mask)
        take_in_objects(annotation, mask, complete=True)
        return black_and_white
    try:
        take_in_scribbles(annotation, mask, n_classes, zero="background")
    except AnnotationError as error:
        raise TrainingError(
            f"'{path}' has a class {mask.max()}; the largest may be {n_classes - 1}. "
            "Name all classes with --classes or in the recipe, or correct the file."
        ) from error
    return False


def take_strokes(
    annotation: Annotation, image: Image, path: Path, n_classes: int
) -> None:
    """Take strokes in; see `take_mask` for what is raised."""
    strokes = read_labels_of(image, path)
    try:
        take_in_scribbles(annotation, strokes, n_classes)
    except AnnotationError as error:
        raise TrainingError(
            f"'{path}' has strokes of the value {strokes.max()}; the largest may be "
            f"{n_classes}. Name all classes with --classes, or correct the file."
        ) from error
