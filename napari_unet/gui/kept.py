"""What is kept on the disk of an image that is opened again; for a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.annotation import image_key
from napari_unet.errors import AnnotationError

if TYPE_CHECKING:
    from napari_unet.annotation import (
        Annotation,
        AnnotationStore,
        ClassScheme,
        Saved,
    )
    from napari_unet.images import Image


@dataclass(frozen=True)
class Kept:
    """Where labels of an image are kept, and which.

    Attributes
    ----------
    key : str
        Of the image in the store.
    saved : Saved, AnnotationError or None
        What there is; why it cannot be read; or None if nothing is kept.
    """

    key: str
    saved: Saved | AnnotationError | None


def look_up(store: AnnotationStore, image: Image, path: str | None) -> Kept:
    """Return what is kept of an image. It reads pixels, files, or both."""
    key = image_key(image, path)
    try:
        return Kept(key, store.find(key))
    except AnnotationError as error:
        return Kept(key, error)


def load_kept(
    store: AnnotationStore, key: str
) -> tuple[Annotation, ClassScheme] | AnnotationError:
    """Return the labels that are kept, or why they cannot be read."""
    try:
        return store.load(key)
    except AnnotationError as error:
        return error
