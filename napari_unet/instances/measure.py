"""Sizes of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def diameters(objects: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the diameter of the circle that has the area of each object, in pixels.

    Parameters
    ----------
    objects : ndarray
        Ids of any shape; 0 is background.
    """
    ids, areas = np.unique(objects, return_counts=True)
    found: NDArray[np.float64] = 2 * np.sqrt(areas[ids != 0] / np.pi)
    return found
