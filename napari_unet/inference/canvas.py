"""Where the tiles of a plane are written, and how they come to the image's own size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import Region
from napari_unet.images.rescale import nearest_pixels, resize

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Canvas:
    """The maps of one plane, as the net sees it.

    Parameters
    ----------
    semantic : ndarray, (Y, X), uint8
        Of the image's own size; what is shown is written here.
    shape : tuple of int
        Of the plane as the net sees it: the same, larger or smaller.
    height : bool
        Whether there is a map of heights, too.

    Attributes
    ----------
    semantic, height : ndarray of `shape`, uint8
        The maps to write tiles into; `height` may be None.
    """

    def __init__(
        self, semantic: NDArray[np.uint8], shape: tuple[int, int], *, height: bool
    ) -> None:
        self._own = semantic
        self.semantic = semantic
        if shape != semantic.shape:
            self.semantic = np.zeros(shape, np.uint8)
        self.height = np.zeros(shape, np.uint8) if height else None
        self._nearest = [
            nearest_pixels(own, seen)
            for own, seen in zip(semantic.shape, shape, strict=True)
        ]

    def show(self, region: Region) -> Region:
        """Write a region of `semantic` that is done in the image's own size.

        Returns
        -------
        Region
            Where it lies in the image.
        """
        if self.semantic is self._own:
            return region
        rows, columns = self._nearest
        y0, y1 = _span(rows, region.y0, region.y1)
        x0, x1 = _span(columns, region.x0, region.x1)
        self._own[y0:y1, x0:x1] = self.semantic[rows[y0:y1, np.newaxis], columns[x0:x1]]
        return Region(y0, x0, y1, x1, region.plane)

    def own_height(self) -> NDArray[np.uint8] | None:
        """Return the heights in the image's own size."""
        if self.height is None or self.semantic is self._own:
            return self.height
        return resize(self.height, self._own.shape).round().astype(np.uint8)


def _span(nearest: NDArray[np.intp], begin: int, end: int) -> tuple[int, int]:
    """Return which pixels are seen between `begin` and `end`; one at least."""
    first, last = np.searchsorted(nearest, (begin, end)).tolist()
    first = min(first, len(nearest) - 1)
    return first, max(last, first + 1)
