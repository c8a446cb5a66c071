"""Objects as connected components of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.instances.holes import fill_holes as fill
from napari_unet.instances.rows import blocks_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_components(
    semantic: NDArray[np.uint8], *, min_size: int = 0, fill_holes: bool = False
) -> NDArray[np.uint32]:
    """Give each connected component of a class a number.

    Pixels that touch at a corner are connected. Two classes never share an object.

    Parameters
    ----------
    semantic : ndarray, (Y, X) or (Z, Y, X), uint8
        Classes; 0 is background.
    min_size : int
        Objects with fewer pixels are left out, counted after filling.
    fill_holes : bool
        Whether holes become part of the object around them, see
        `instances.holes.fill_holes`.

    Returns
    -------
    ndarray, as `semantic`, uint32
        1 to n without a gap, row by row from the top and plane by plane; 0 is
        background. In a stack an object has one number through all planes.
    """
    import cc3d

    semantic = np.ascontiguousarray(semantic)
    objects: NDArray[np.uint32] = cc3d.connected_components(
        semantic, connectivity=3**semantic.ndim - 1, out_dtype=np.uint32
    )
    if fill_holes:
        fill(objects, semantic)
    if min_size > 1:
        leave_out(objects, min_size)
    return objects


def leave_out(objects: NDArray[np.uint32], min_size: int) -> None:
    """Remove small objects in place, and close the gaps in the numbers."""
    kept = _sizes(objects) >= min_size
    kept[0] = False
    if not kept[1:].all():
        number = np.where(kept, np.cumsum(kept), 0).astype(np.uint32)
        for rows in blocks_of_rows(objects.shape):
            objects[rows] = number[objects[rows]]


def _sizes(objects: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the pixels of each number, background first."""
    sizes = np.zeros(int(objects.max()) + 1, np.int64)
    for rows in blocks_of_rows(objects.shape):
        block = objects[rows]
        low = int(block.min())
        counts = np.bincount((block - np.uint32(low)).ravel())
        sizes[low : low + len(counts)] += counts
    return sizes
