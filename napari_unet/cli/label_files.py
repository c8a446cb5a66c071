"""Label files of an image, taken into its annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.annotation import take_in_objects, take_in_scribbles
from napari_unet.errors import AnnotationError, TrainingError
from napari_unet.images import read_labels_of

if TYPE_CHECKING:
    from pathlib import Path

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


def take_mask(
    annotation: Annotation, image: Image, path: Path, *, objects: bool, n_classes: int
) -> bool:
    """Take a complete mask in: numbered objects, or the class of each pixel.

    Returns
    -------
    bool
        Whether it holds objects and is black and white, see `objects_of_mask`.

    Raises
    ------
    TrainingError
        If it has a class that is not among `n_classes`, background included.
    ImageError
        If it cannot be read or does not fit.
    """
    mask = read_labels_of(image, path)
    if objects:
        return take_in_objects(annotation, mask, complete=True)
    try:
        take_in_scribbles(annotation, mask, n_classes, zero="background")
    except AnnotationError as error:
        raise TrainingError(
            f"'{path}' has a class {mask.max()}; the largest may be {n_classes - 1}. "
            "If it numbers objects, leave --classes out and take a --base of one "
            "class. Else name all classes with --classes or in the recipe, or correct "
            "the file."
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
