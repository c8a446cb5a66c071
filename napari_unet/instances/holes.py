"""Fill the holes of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.instances.rows import blocks_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fill_holes(objects: NDArray[np.uint32], semantic: NDArray[np.uint8]) -> None:
    """Make holes part of the object around them, in place.

    A hole is background that objects of one class enclose; across a corner there is
    no way out. An object inside a hole stays one of its own, and so does a hole with
    an object of another class in it or around it.

    Parameters
    ----------
    objects : ndarray, (Y, X), uint32
        The 8-connected components of `semantic`, in C order.
    semantic : ndarray, (Y, X), uint8
        Classes; 0 is background. In C order.
    """
    import cc3d

    pieces, count = cc3d.connected_components(
        semantic == 0, connectivity=4, out_dtype=np.uint32, return_N=True
    )
    enclosed = np.ones(count + 1, bool)
    enclosed[0] = False
    for border in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        enclosed[border] = False
    if not enclosed.any():
        return
    width = pieces.shape[1]
    where = np.concatenate(
        [
            np.flatnonzero(enclosed[pieces[rows]]) + rows.start * width
            for rows in blocks_of_rows(pieces.shape)
        ]
    )
    hole = pieces.reshape(-1)[where]
    del pieces

    flat = objects.reshape(-1)
    first = np.zeros(count + 1, np.intp)
    first[hole[::-1]] = where[::-1]
    # Above a hole's first pixel there is nothing of the hole and nothing inside it.
    around = flat[first - width]
    one_class = _has_one_class(hole, where, semantic, count)
    filled = one_class[hole]
    flat[where[filled]] = around[hole[filled]]


def _has_one_class(
    hole: NDArray[np.uint32],
    where: NDArray[np.intp],
    semantic: NDArray[np.uint8],
    count: int,
) -> NDArray[np.bool_]:
    """Tell for each hole whether all that touches it is of the same class.

    Parameters
    ----------
    hole, where : ndarray, (n,)
        The number and the flat position of each pixel of a hole.
    semantic : ndarray, (Y, X)
        Classes.
    count : int
        The largest number.
    """
    flat, width = semantic.reshape(-1), semantic.shape[1]
    lowest = np.full(count + 1, 255, np.uint8)
    highest = np.zeros(count + 1, np.uint8)
    for step in (-width, -1, 1, width):
        beside = flat[where + step]
        touching = beside > 0
        np.minimum.at(lowest, hole[touching], beside[touching])
        np.maximum.at(highest, hole[touching], beside[touching])
    same: NDArray[np.bool_] = lowest == highest
    return same
