"""The part of a plane that some objects lie in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Rows that are compared at once: they stay in the processor's cache.
_ROWS = 64


def box_around(
    objects: NDArray[Any], ids: Sequence[int], margin: int = 0
) -> tuple[slice, slice]:
    """Return rows and columns of a box around objects, empty without any.

    Parameters
    ----------
    objects : ndarray, (Y, X), integers
        Ids of objects.
    ids : sequence of int
        The objects.
    margin : int
        Pixels on each side, inside the plane.
    """
    height, width = objects.shape
    rows, columns = np.zeros(height, bool), np.zeros(width, bool)
    for y in range(0, height, _ROWS):
        band = objects[y : y + _ROWS]
        found = np.zeros(band.shape, bool)
        for index in ids:
            found |= band == index
        if found.any():
            rows[y : y + _ROWS] = found.any(axis=1)
            columns |= found.any(axis=0)
    return _span(rows, margin), _span(columns, margin)


def _span(there: NDArray[np.bool_], margin: int) -> slice:
    at = np.flatnonzero(there)
    if not len(at):
        return slice(0, 0)
    return slice(max(int(at[0]) - margin, 0), int(at[-1]) + 1 + margin)
