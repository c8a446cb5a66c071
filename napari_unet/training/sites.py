"""The cells of an image in which a class has labelled pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import Region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CELL = 32


@dataclass(frozen=True)
class Site:
    """A cell of an image with labelled pixels of a class.

    Attributes
    ----------
    image : str
        The image's key in the training set.
    label : int
        The class.
    plane : int
        The plane's number among ``image.planes()``.
    row, column : int
        Of the cell: it begins at pixel ``row * CELL``, ``column * CELL``.
    """

    image: str
    label: int
    plane: int
    row: int
    column: int

    def region(self, plane: Mapping[str, int]) -> Region:
        """Return the cell, in the plane at this position of the stack."""
        y0, x0 = self.row * CELL, self.column * CELL
        return Region(y0, x0, y0 + CELL, x0 + CELL, plane)


def find_sites(
    classes: NDArray[np.int64],
    mask: NDArray[np.bool_],
    region: Region,
    image: str,
    plane: int,
) -> list[Site]:
    """Return the cells of a block, which begins at a cell, that hold each class."""
    height, width = (-(-n // CELL) * CELL for n in classes.shape)
    known = np.full((height, width), -1, classes.dtype)
    known[: classes.shape[0], : classes.shape[1]] = np.where(mask, classes, -1)
    cells = known.reshape(height // CELL, CELL, width // CELL, CELL)
    row, column = region.y0 // CELL, region.x0 // CELL
    return [
        Site(image, label, plane, row + int(y), column + int(x))
        for label in range(int(known.max()) + 1)
        for y, x in np.argwhere((cells == label).any(axis=(1, 3)))
    ]
