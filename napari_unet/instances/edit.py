"""Correcting objects by hand. Pure functions on one plane."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.instances.box import box_around

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Objects = NDArray[Any]
    Mask = NDArray[np.bool_]

# Pixels between two objects that become part of the merged one.
GAP = 2

# A smaller crumb beside the line of a split goes to a piece next to it.
CRUMB = 4


def delete(objects: Objects, index: int) -> Objects:
    """Return the plane without an object.

    Parameters
    ----------
    objects : ndarray, (Y, X), integers
        Ids of objects, 0 for background; not changed.
    index : int
        The id to delete.
    """
    return rename(objects, index, 0)


def rename(objects: Objects, index: int, new: int) -> Objects:
    """Return the plane with another id for an object.

    Parameters
    ----------
    objects : ndarray, (Y, X), integers
        Ids of objects, 0 for background; not changed.
    index, new : int
        The id, and the one it becomes.
    """
    return np.where(objects == index, objects.dtype.type(new), objects)


def merge(objects: Objects, kept: int, gone: int) -> Objects:
    """Return the plane with two objects as one.

    Background of up to two pixels between them is filled where that joins them.

    Parameters
    ----------
    objects : ndarray, (Y, X), integers
        Ids of objects, 0 for background; not changed.
    kept, gone : int
        The ids: that of both afterwards, and the one that disappears.
    """
    merged = rename(objects, gone, kept)
    if kept == gone or not (objects == kept).any():
        return merged
    box = box_around(objects, (kept, gone), GAP)
    around, first, second = objects[box], objects[box] == kept, objects[box] == gone
    bridge = _bridge(first, second, around == 0)
    merged[box][bridge] = kept
    return merged


def split(
    objects: Objects, path: Sequence[tuple[float, float]], first_id: int
) -> tuple[Objects, dict[int, int]]:
    """Return the plane with objects cut along a line.

    An object is cut where the line crosses it from edge to edge; one that the line
    only enters stays whole. The pixels under the line go to a piece beside them, so no
    pixel is lost. The largest piece keeps the id.

    Parameters
    ----------
    objects : ndarray, (Y, X), integers
        Ids of objects, 0 for background; not changed.
    path : sequence of (y, x)
        The corners of the line, in pixels; it may leave the plane.
    first_id : int
        The first of the ids for new pieces, which no object has.

    Returns
    -------
    ndarray, (Y, X)
        The new ids.
    dict of int to int
        For each new id the one that its pixels had.
    """
    at = line_pixels(path)
    line = np.zeros(objects.shape, bool)
    line[tuple(at[((at >= 0) & (at < objects.shape)).all(axis=1)].T)] = True
    result = objects.copy()
    origin: dict[int, int] = {}
    for index in np.unique(objects[line]).tolist():
        if index == 0:
            continue
        box = box_around(objects, (index,))
        for part in _parts(objects[box] == index):
            for piece in _pieces(part, line[box])[1:]:
                result[box][piece] = first_id + len(origin)
                origin[first_id + len(origin)] = index
    return result, origin


def _pieces(part: Mask, line: Mask) -> list[Mask]:
    """Return what a line leaves of a connected object, the largest piece first."""
    from scipy import ndimage

    labels = np.zeros(part.shape, np.int32)
    pieces = [p for p in _parts(part & ~line) if p.sum() >= CRUMB]
    if len(pieces) < 2:
        return [part]
    for number, piece in enumerate(pieces, 1):
        labels[piece] = number
    while (missing := part & (labels == 0)).any():
        grown = ndimage.grey_dilation(labels, size=(3, 3))
        labels[missing] = grown[missing]
    sizes = np.bincount(labels[part])
    return [labels == number for number in np.argsort(-sizes[1:], kind="stable") + 1]


def _parts(mask: Mask) -> list[Mask]:
    """Return the connected parts, with 8 neighbours."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    return [labels == number for number in range(1, count + 1)]


def _bridge(first: Mask, second: Mask, free: Mask) -> Mask:
    """Return the free pixels that join two objects, as few as need be."""
    from scipy import ndimage

    apart = len(_parts(first)) + len(_parts(second))
    for width in range(GAP + 1):
        bridge = free.copy()
        for side in (first, second):
            bridge &= ndimage.binary_dilation(side, np.ones((3, 3)), width or 1)
        if width == 0:
            bridge[:] = False
        if len(_parts(first | second | bridge)) < apart:
            return bridge
    return np.zeros_like(free)


def line_pixels(path: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return the pixels of a line, ``(n, 2)``, without steps across corners.

    Parameters
    ----------
    path : sequence of (y, x)
        The corners of the line, in pixels.
    """
    corners = np.asarray(path, float)
    pixels = [corners[:1]]
    for a, b in pairwise(corners):
        steps = int(np.ceil(np.abs(b - a).max())) + 1
        pixels.append(np.linspace(a, b, steps + 1)[1:])
    at = np.rint(np.concatenate(pixels)).astype(np.int64)
    # An object holds together across corners, so the line must not have any.
    corner = np.stack([at[:-1, 0], at[1:, 1]], axis=1)
    return np.concatenate([at, corner])
