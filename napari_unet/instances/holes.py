"""Fill the holes of objects."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.instances.rows import blocks_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fill_holes(objects: NDArray[np.uint32], kinds: NDArray[np.unsignedinteger]) -> None:
    """Make holes part of the object around them, in place.

    A hole is background that objects of one kind enclose; across a corner there is
    no way out, but past the first and the last plane of a stack there is. An object
    inside a hole stays one of its own, and so does a hole with an object of another
    kind in it or around it.

    Parameters
    ----------
    objects : ndarray, (Y, X) or (Z, Y, X), uint32
        In C order; 0 is background.
    kinds : ndarray, as `objects`, unsigned
        The class of each pixel, where objects are connected components of a class; or
        `objects` themselves, where objects of one class may touch. In C order.
    """
    import cc3d

    if objects.ndim > 2 and len(objects) == 1:
        # A plane, whose holes are not open to the planes that it does not have.
        objects, kinds = objects[0], kinds[0]
    pieces, count = cc3d.connected_components(
        kinds == 0, connectivity=2 * kinds.ndim, out_dtype=np.uint32, return_N=True
    )
    enclosed = np.ones(count + 1, bool)
    enclosed[0] = False
    for axis in range(pieces.ndim):
        enclosed[np.take(pieces, (0, -1), axis)] = False
    if not enclosed.any():
        return
    row = prod(pieces.shape[1:])
    where = np.concatenate(
        [
            np.flatnonzero(enclosed[pieces[rows]]) + rows.start * row
            for rows in blocks_of_rows(pieces.shape)
        ]
    )
    hole = pieces.reshape(-1)[where]
    del pieces

    flat = objects.reshape(-1)
    first = np.zeros(count + 1, np.intp)
    first[hole[::-1]] = where[::-1]
    # Above a hole's first pixel there is nothing of the hole and nothing inside it.
    around = flat[first - row]
    one_kind = _has_one_kind(hole, where, kinds, count)
    filled = one_kind[hole]
    flat[where[filled]] = around[hole[filled]]


def _has_one_kind(
    hole: NDArray[np.uint32],
    where: NDArray[np.intp],
    kinds: NDArray[np.unsignedinteger],
    count: int,
) -> NDArray[np.bool_]:
    """Tell for each hole whether all that touches it is of the same kind.

    Parameters
    ----------
    hole, where : ndarray, (n,)
        The number and the flat position of each pixel of a hole.
    kinds : ndarray, (Y, X) or (Z, Y, X)
        As in `fill_holes`.
    count : int
        The largest number.
    """
    flat = kinds.reshape(-1)
    strides = [prod(kinds.shape[axis + 1 :]) for axis in range(kinds.ndim)]
    lowest = np.full(count + 1, np.iinfo(kinds.dtype).max, kinds.dtype)
    highest = np.zeros(count + 1, kinds.dtype)
    for step in (sign * stride for stride in strides for sign in (-1, 1)):
        beside = flat[where + step]
        touching = beside > 0
        np.minimum.at(lowest, hole[touching], beside[touching])
        np.maximum.at(highest, hole[touching], beside[touching])
    same: NDArray[np.bool_] = lowest == highest
    return same
