"""Edits of objects in the plane on screen, which napari's undo takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.instances.box import box_around
from napari_unet.instances.edit import GAP, delete, line_pixels, merge, rename, split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_unet.gui.annotate.annotated import AnnotatedImage


def object_at(image: AnnotatedImage, at: tuple[float, float]) -> int:
    """Return the id of the object at row and column `at`, 0 if there is none."""
    plane = image.object_layer.on_screen
    y, x = np.rint(at).astype(int)
    inside = 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]
    return int(plane[y, x]) if inside else 0


def delete_object(image: AnnotatedImage, index: int) -> None:
    """Delete an object."""
    _edit(image, [index], lambda objects: delete(objects, index))


def merge_objects(image: AnnotatedImage, kept: int, gone: int) -> None:
    """Make one object of two, with the first one's id."""
    _edit(image, [kept, gone], lambda objects: merge(objects, kept, gone))


def classify_object(image: AnnotatedImage, index: int, label: int) -> int:
    """Make an object one of the class `label`, by a new id so that undo works.

    Returns
    -------
    int
        The id that it has now.
    """
    new = image.object_layer.free_id()
    image.object_layer.announce({new: label})
    _edit(image, [index], lambda objects: rename(objects, index, new))
    return new


def split_objects(image: AnnotatedImage, path: Sequence[tuple[float, float]]) -> int:
    """Cut objects along a line; its corners are rows and columns.

    Returns
    -------
    int
        How many objects became of those that it crosses, 0 if it crosses none.
    """
    classes = image.annotation.object_classes
    plane = image.object_layer.on_screen
    line = line_pixels(path)
    line = line[((line >= 0) & (line < plane.shape)).all(axis=1)]
    crossed = [i for i in np.unique(plane[tuple(line.T)]).tolist() if i]
    box = box_around(plane, crossed, GAP)
    inside = [(y - box[0].start, x - box[1].start) for y, x in path]
    new, origin = split(plane[box], inside, image.object_layer.free_id())
    if not origin:
        return 0
    image.object_layer.announce({i: classes.get(old, 1) for i, old in origin.items()})
    _write(image, box, new)
    return len(origin) + len(set(origin.values()))


def _edit(
    image: AnnotatedImage,
    ids: list[int],
    change: Callable[[NDArray[Any]], NDArray[Any]],
) -> None:
    """Change objects where they are."""
    plane = image.object_layer.on_screen
    box = box_around(plane, ids, GAP)
    _write(image, box, change(plane[box]))


def _write(image: AnnotatedImage, box: tuple[slice, slice], new: NDArray[Any]) -> None:
    """Write what is new in a box of the plane."""
    layer = image.objects
    assert layer is not None, "objects are edited where they are shown"
    y, x = np.nonzero(new != image.object_layer.on_screen[box])
    rows, columns = y + box[0].start, x + box[1].start
    at = image.target.position(image.plane_shown(), rows, columns)
    indices = tuple(np.broadcast_to(i, y.shape) for i in at)
    layer.data_setitem(indices, new[y, x])
