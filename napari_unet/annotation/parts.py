"""Black and white masks: connected areas in the place of numbered objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def objects_of_mask(mask: NDArray[Any], axes: str) -> tuple[NDArray[Any], bool]:
    """Return the objects of a mask, and whether it is black and white.

    That is a mask with one value beside 0, such as 255, in areas that do not touch:
    each of them is an object. Along Z they are followed.

    Parameters
    ----------
    mask : ndarray, (..., Y, X), integers or bool
        0, or the id of an object.
    axes : str
        One letter for each of its dimensions, ending in ``YX``.

    Returns
    -------
    ndarray, as `mask`, integers
        The same, or uint32 ids from 1 on.
    bool
        Whether areas have been numbered.
    """
    import cc3d

    if mask.dtype == bool:
        mask = mask.astype(np.uint32)
    there = mask[mask != 0]
    if not there.size or (there != there[0]).any():
        return mask, False
    objects = np.zeros(mask.shape, np.uint32)
    z = axes.find("Z")
    black, numbered = (a if z < 0 else np.moveaxis(a, z, -3) for a in (mask, objects))
    found, several = 0, False
    for frame in np.ndindex(black.shape[: -2 if z < 0 else -3]):
        area = black[frame] != 0
        parts = cc3d.connected_components(
            np.ascontiguousarray(area), connectivity=8 if z < 0 else 26
        )
        most = int(parts.max(initial=0))
        several |= most > 1
        np.add(parts, found, out=numbered[frame], where=area, casting="unsafe")
        found += most
    return (objects, True) if several else (mask, False)
