"""Objects as the hills of a learned map, so that cells that touch come apart.

A watershed turned upside down: each pixel climbs to the summit above it, and summits
without a real valley between them are one object. How deep a valley must be is measured
by the lower summit beside it (the dynamics of Grimaud 1992, made relative), so that one
number suits cells of every size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.instances.ascent import climb, smooth
from napari_unet.instances.components import leave_out
from napari_unet.instances.grid import Grid
from napari_unet.instances.holes import fill_holes as fill
from napari_unet.instances.rows import blocks_of_rows
from napari_unet.instances.saddles import join

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Chosen on the `val` split of BBBC038: see docs/decisions/0007-boundaries.md.
VALLEY = 0.3


def label_hills(
    semantic: NDArray[np.uint8],
    height: NDArray[np.uint8],
    *,
    valley: float = VALLEY,
    min_size: int = 0,
    fill_holes: bool = False,
) -> NDArray[np.uint32]:
    """Give each hill of a class a number.

    Pixels that touch at a corner are neighbours; in a stack those of the planes above
    and below too, as near as those of the same plane.

    Parameters
    ----------
    semantic : ndarray, (Y, X) or (Z, Y, X), uint8
        Classes; 0 is background. Two classes never share an object.
    height : ndarray, as `semantic`, uint8
        The map, 0 to 255: low at the edge of an object, high in its middle.
    valley : float
        How deep the valley between two objects must be, 0 to 1, as a share of the
        height of the lower one.
    min_size : int
        Objects with fewer pixels are left out, counted after filling.
    fill_holes : bool
        Whether background that one object encloses becomes part of it.

    Returns
    -------
    ndarray, as `semantic`, uint32
        1 to n without a gap, row by row from the top and plane by plane; 0 is
        background. In a stack an object has one number through all planes.
    """
    objects = _hills(semantic, height, valley)
    if fill_holes:
        fill(objects, objects)
    if min_size > 1:
        leave_out(objects, min_size)
    return objects


def _hills(
    semantic: NDArray[np.uint8], height: NDArray[np.uint8], valley: float
) -> NDArray[np.uint32]:
    """Return the hill of each pixel; only that stays in memory."""
    grid = Grid(semantic.shape)
    kinds = grid.flat(semantic)
    hills = smooth(height, kinds, grid)
    number, hill = join(hills, climb(hills, kinds, grid), kinds, grid, valley)
    del hills, kinds
    objects = np.empty(semantic.shape, np.uint32)
    number = grid.inside(number)
    for rows in blocks_of_rows(objects.shape):
        objects[rows] = hill[number[rows]]
    return objects
