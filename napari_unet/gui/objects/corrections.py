"""From a prediction to objects that the user corrects."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.annotation import Blocks

    Place = tuple[int, ...]

# By the id in the prediction and the class.
Numbers = dict[tuple[int, int], int]

_ROWS = 256


def objects_of(
    instances: NDArray[Any],
    semantic: NDArray[Any] | None,
    stack_axes: str,
    objects: Blocks,
) -> tuple[Blocks, dict[int, int]]:
    """Write the objects of a prediction as an annotation has them; for a worker.

    Parameters
    ----------
    instances, semantic, stack_axes
        See `numbered_through`.
    objects : Blocks
        Of the same shape, which nobody else writes to.

    Returns
    -------
    Blocks
        `objects`, with what each block holds looked up.
    dict of int to int
        The class of each object.
    """
    numbered, classes = numbered_through(instances, semantic, stack_axes)
    for plane in objects.planes():
        objects.write(plane, numbered[objects.index(plane)])
    for key in objects.keys():
        objects.values(key)
    return objects, classes


def numbered_through(
    instances: NDArray[Any], semantic: NDArray[Any] | None, stack_axes: str = ""
) -> tuple[NDArray[np.uint32], dict[int, int]]:
    """Give each object of a prediction an id of its own in the whole stack.

    What has one id and class in slices next to each other along Z, and touches from one
    to the other, is one object: slices that were predicted one by one have the same ids
    for others.

    Parameters
    ----------
    instances : ndarray, (..., Y, X), integers
        Ids of objects, which start anew in each volume, or plane; 0 is background.
    semantic : ndarray, (..., Y, X), integers, optional
        The class of each pixel.
    stack_axes : str
        The names of the axes before Y and X.

    Returns
    -------
    ndarray, (..., Y, X), uint32
        The ids, gapless from 1 on.
    dict of int to int
        The class of each id; 1 without `semantic`.
    """
    out = np.zeros(instances.shape, np.uint32)
    classes: dict[int, int] = {}
    # Of the last slice of each volume, with its numbers.
    below: dict[Place, tuple[NDArray[Any], Numbers]] = {}
    for plane in np.ndindex(instances.shape[:-2]):
        volume = tuple(i for i, a in zip(plane, stack_axes, strict=True) if a != "Z")
        # A copy, because a prediction may be written into the layer meanwhile.
        there = instances[plane].copy()
        ids = _small(there)
        of = _classes(ids, None if semantic is None else semantic[plane])
        before = np.zeros(len(of), there.dtype)
        for rows in _bands(ids):
            before[ids[rows]] = there[rows]
        touching, known = of == 0, Numbers()
        if volume in below:
            lower, known = below[volume]
            touching = _touching(ids, there, lower, len(of))
        new, numbers = np.zeros(len(of), np.uint32), Numbers()
        for i in np.flatnonzero(of):
            key = int(before[i]), int(of[i])
            number = known.get(key) if touching[i] else None
            new[i] = numbers[key] = number or len(classes) + 1
            classes[numbers[key]] = key[1]
        for rows in _bands(ids):
            out[plane][rows] = new[ids[rows]]
        if "Z" in stack_axes:
            below[volume] = there, numbers
    return out, classes


def _small(ids: NDArray[Any]) -> NDArray[Any]:
    """Return ids that a table can be indexed with, in the same order."""
    if 0 <= ids.min(initial=0) and ids.max(initial=0) <= ids.size:
        return ids
    _, order = np.unique(ids, return_inverse=True)
    return np.where(ids == 0, 0, order.reshape(ids.shape) + 1)


def _classes(ids: NDArray[Any], semantic: NDArray[Any] | None) -> NDArray[np.int64]:
    """Return the class of the first pixel of each id, 0 for those that are not there.

    Sorting the pixels would take ten times as long.
    """
    of = np.zeros(int(ids.max(initial=0)) + 1, np.int64)
    # Of several values for an id the last one stays, so they come in reverse; copied,
    # because numpy goes through a reversed view as it lies in memory.
    for rows in reversed(_bands(ids)):
        there = np.ascontiguousarray(ids[rows].ravel()[::-1])
        if semantic is None:
            of[there] = 1
        else:
            of[there] = np.ascontiguousarray(semantic[rows].ravel()[::-1]).clip(1)
    of[0] = 0
    return of


def _touching(
    ids: NDArray[Any], there: NDArray[Any], below: NDArray[Any], n: int
) -> NDArray[np.bool_]:
    """Tell which of `n` ids of a slice touch what is the same in the slice below."""
    touching = np.arange(n) == 0
    for steps in product((0, -1, 1), repeat=2):
        if touching.all():
            break
        sides = list(zip(steps, there.shape, strict=True))
        upper = tuple(slice(max(d, 0), side + min(d, 0)) for d, side in sides)
        lower = tuple(slice(max(-d, 0), side + min(-d, 0)) for d, side in sides)
        same = (there[upper] == below[lower]) & (there[upper] != 0)
        for rows in _bands(same):
            touching[ids[upper][rows][same[rows]]] = True
    return touching


def _bands(plane: NDArray[Any]) -> list[slice]:
    """Cut a plane into rows, because indices take eight bytes a pixel."""
    return [slice(y, y + _ROWS) for y in range(0, len(plane), _ROWS)]
