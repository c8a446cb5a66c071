"""Taking in labels that exist already: another tool's mask, a label TIFF, a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_unet.annotation.labels import as_labels, check_whole, next_id
from napari_unet.annotation.parts import objects_of_mask
from napari_unet.errors import AnnotationError
from napari_unet.images.axes import size_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.annotation.annotation import Annotation


def take_in_scribbles(
    annotation: Annotation,
    labels: Any,
    n_classes: int,
    *,
    zero: Literal["unlabelled", "background"] = "unlabelled",
) -> None:
    """Write a mask of classes into the scribbles.

    Parameters
    ----------
    annotation : Annotation
        What is changed, except where `labels` says "unlabelled".
    labels : array-like
        ``(..., Y, X)``, integers or bool, of the annotation's shape; axes of size 1
        may be missing or surplus.
    n_classes : int
        Background and the user's classes.
    zero : {"unlabelled", "background"}
        What 0 stands for. In scribbles it is "unlabelled": 1 is background, 2 the
        first class, and so on. In the masks of other tools it is mostly
        "background", see `classes_of_mask`.

    Raises
    ------
    AnnotationError
        If the labels are no whole numbers, or do not fit the image or the classes.
        Nothing is changed then.
    """
    labels = _fitting(labels, annotation.shape)
    if zero == "background":
        labels = classes_of_mask(labels, n_classes) + np.uint8(1)
    else:
        _check_values(_values(labels), n_classes, n_classes)
    for plane in annotation.scribbles.planes():
        new = labels[annotation.scribbles.index(plane)]
        kept = annotation.scribbles.read(plane)
        annotation.write_scribbles(plane, np.where(new > 0, new, kept))


def classes_of_mask(mask: NDArray[Any], n_classes: int) -> NDArray[np.uint8]:
    """Return the class of each pixel of a mask as other tools write it.

    0 is background and 1 the first class. Where there is no other class, so is the one
    value of a mask that has only one beside 0, such as 255.

    Parameters
    ----------
    mask : ndarray of integers or bool
        Of any shape.
    n_classes : int
        Background and the user's classes.

    Raises
    ------
    AnnotationError
        If it holds other values.
    """
    values = _values(mask)
    if n_classes == 2 and len(values) == 1:
        mask = mask != 0
    else:
        _check_values(values, n_classes, n_classes - 1)
    return mask.astype(np.uint8, copy=False)


def take_in_objects(
    annotation: Annotation, labels: Any, *, complete: bool = False
) -> bool:
    """Write an image of instance labels into the objects.

    Objects that are there already stay, and the new ones get ids after theirs.

    Parameters
    ----------
    annotation : Annotation
        What is changed, where `labels` is not 0.
    labels : array-like
        ``(..., Y, X)``, of the annotation's shape: 0 or the id of an object; axes of
        size 1 may be missing or surplus.
    complete : bool
        Whether every object is in `labels`: the whole image is verified then.

    Returns
    -------
    bool
        Whether `labels` was black and white, see `objects_of_mask`.

    Raises
    ------
    AnnotationError
        If the labels are no whole numbers or do not fit the image. Nothing is changed
        then.
    """
    labels = _fitting(labels, annotation.shape)
    labels, black_and_white = objects_of_mask(labels, annotation.axes)
    labels = as_labels(labels, np.uint32)
    # What was erased keeps its class, since it may come back.
    taken = annotation.ids() | annotation.object_classes.keys()
    most, offset = int(labels.max(initial=0)), next_id(taken) - 1
    last = offset + most
    if last > np.iinfo(np.uint32).max or any(offset < i <= last for i in taken):
        raise AnnotationError(
            f"The ids of these objects run up to {most:,}; no room is left for them "
            "beside the objects that are there. Relabel them from 1 first."
        )
    for plane in annotation.objects.planes():
        new = labels[annotation.objects.index(plane)]
        kept = annotation.objects.read(plane)
        new = np.where(new > 0, new + np.uint32(offset), kept)
        annotation.write_objects(plane, new)
        if complete:
            annotation.verify(plane)
    return black_and_white


def _values(labels: NDArray[Any]) -> NDArray[Any]:
    """Return all values but 0, in order."""
    values: NDArray[Any] = np.setdiff1d(labels, 0)
    return values


def _check_values(values: NDArray[Any], n_classes: int, most: int) -> None:
    if len(values) and (values[0] < 0 or values[-1] > most):
        raise AnnotationError(
            f"These labels hold {_listed(values)}, but with {n_classes} classes, "
            f"background among them, they may hold 0 to {most}. Add the missing "
            "classes first, or take the labels in as objects."
        )


def _fitting(labels: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return labels in the shape of the image; axes of one step count on neither side.

    Labels of OME-Zarr have a channel, too, where their image has one.
    """
    array: NDArray[Any] = np.asarray(labels)
    check_whole(array)
    if np.squeeze(array).shape != tuple(n for n in shape if n != 1):
        raise AnnotationError(
            f"The labels measure {size_text(array.shape)} and the image "
            f"{size_text(shape)}. Choose labels that were made for this image."
        )
    return array.reshape(shape)


def _listed(values: NDArray[Any]) -> str:
    few = ", ".join(map(str, values[:5]))
    return f"{few} ... {values[-1]}" if len(values) > 5 else few
