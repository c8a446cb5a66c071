"""What is kept on the disk of an image that is opened again; for a worker."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.annotation import Annotation, image_key
from napari_unet.annotation.key import file_part, former_key, free_key
from napari_unet.errors import AnnotationError
from napari_unet.images.axes import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet.annotation import AnnotationStore, ClassScheme, Saved
    from napari_unet.images import Image


@dataclass(frozen=True)
class Kept:
    """Where labels of an image are kept, and which.

    Attributes
    ----------
    image : Image
        Of which.
    key : str
        Where it is kept in the store; of a file with other pixels than now, or by a
        former version.
    saved : Saved, AnnotationError or None
        What there is; why it is not offered; or None if nothing is kept.
    new_key : str
        Where labels of the image are to be kept from now on.
    """

    image: Image
    key: str
    saved: Saved | AnnotationError | None
    new_key: str


def look_up(
    store: AnnotationStore,
    image: Image,
    path: str | None,
    in_view: Mapping[str, str],
    beside: Sequence[Image] = (),
) -> Kept:
    """Return what is kept of an image. It reads pixels and files.

    Parameters
    ----------
    store : AnnotationStore
        Where to look.
    image : Image
        What was opened.
    path : str or None
        The file that it is from, or its address on the web.
    in_view : mapping of str to str
        Keys of other images, whose labels are on screen, to their names.
    beside : sequence of Image
        Others from the same file, such as its channels, whose labels are not its own.
    """
    own = image_key(image, path)
    key = new_key = free_key(own, in_view)
    of_file = file_part(own)
    twice = of_file is not None and own in in_view
    times: dict[str, float] = {}
    try:
        if of_file and path is not None and not twice:
            times = store.saved_times(of_file)
            # A file whose pixels have been changed has labels still. Those of a file
            # that is as it was are of another of its channels, in a layer of its own.
            changed = _changed(path)
            others = [
                k for k, at in times.items() if k not in in_view and at <= changed
            ]
            if key not in times and others:
                theirs = {image_key(other, path) for other in beside}
                key = next((k for k in others if k not in theirs), key)
        saved = store.find(key)
        anew = any(k.startswith(of_file or own) for k in (*times, *in_view))
        if saved is None and not anew:
            former = former_key(image, path)
            if saved := store.find(former):
                key = former
        if saved is None and twice:
            raise AnnotationError(
                f"'{image.name}' is the image that is labelled in the layer "
                f"'{in_view[own]}'. Choose that one under Image to go on with its "
                "labels, or start anew to label this layer for itself."
            )
        return Kept(image, key, saved, new_key)
    except AnnotationError as error:
        return Kept(image, key, error, new_key)
    except OSError as error:
        text = f"'{store.folder}' cannot be searched for labels of '{image.name}': "
        text += f"{error.strerror or error}. Check the permissions."
        return Kept(image, key, AnnotationError(text), new_key)


def _changed(path: str) -> float:
    """Return when a file was changed: never, where it is on the web or gone."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return -math.inf


def load_kept(
    store: AnnotationStore, key: str, image: Image
) -> tuple[Annotation, ClassScheme] | str:
    """Return the labels that are kept, or why they cannot be had for this image.

    In words, since a worker raises an error that is returned.
    """
    try:
        new, saved = Annotation.of(image), store.find(key)
        # Looked at before they are loaded: what is not gone on with must stay.
        if saved is not None and saved.shape != new.shape:
            raise AnnotationError(
                f"The labels that are kept for '{image.name}' measure "
                f"{size_text(saved.shape)}, the image {size_text(new.shape)}. Name the "
                "sliders as they were then (double-click the name left of a slider and "
                "type t, z or c), or start anew; the old labels stay on the disk."
            )
        annotation, scheme = store.load(key)
        annotation.name_axes(new.axes)
        # Looked up here, since it takes a moment, and kept.
        annotation.ids()
        return annotation, scheme
    except AnnotationError as error:
        return str(error)
