"""The overlap-tile strategy of Ronneberger et al. 2015 (figure 2).

A plane is cut into tiles that touch. The net sees each with a margin as wide as its
outcome depends on, and gives back the tile alone, so that nothing needs blending and
the size of the tiles does not matter. Beyond the border of the plane the margin shows
the plane's mirror image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import Image, IntensityRange, Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Source:
    """The pixels of an image as a net takes them.

    Attributes
    ----------
    image : Image
    channels : sequence of int
        One for each of the net's; one may come more than once.
    intensity : IntensityRange
        For each of `channels`, of the whole image: measured on a tile, it would make
        the result depend on the tiles.
    """

    image: Image
    channels: Sequence[int]
    intensity: IntensityRange

    def read(self, region: Region, margin: int, multiple: int) -> NDArray[np.float32]:
        """Read a tile with its margin, mirrored at the borders of the plane.

        Parameters
        ----------
        region : Region
            The tile, inside the plane.
        margin : int
            Pixels to add on each side.
        multiple : int
            The tile's sides are rounded up to this first, at the bottom and right.

        Returns
        -------
        ndarray, (C, Y, X), float32
            About 0 to 1.
        """
        height, width = self.image.plane_shape
        rows = _mirrored(region.y0, region.y1, margin, multiple, height)
        columns = _mirrored(region.x0, region.x1, margin, multiple, width)
        y0, x0 = int(rows.min()), int(columns.min())
        there = Region(
            y0, x0, int(rows.max()) + 1, int(columns.max()) + 1, region.plane
        )
        # A grey image is one channel three times: read and scaled once.
        kinds = list(
            zip(self.channels, self.intensity.low, self.intensity.high, strict=True)
        )
        distinct = list(dict.fromkeys(kinds))
        channels, low, high = zip(*distinct, strict=True)
        pixels = self.image.read(there, channels)
        scaled = IntensityRange(low, high).apply(pixels)
        # Each step is one pixel up or down: inside a plane, nothing turns round.
        if rows[-1] - rows[0] < len(rows) - 1:
            scaled = scaled[:, rows - y0]
        if columns[-1] - columns[0] < len(columns) - 1:
            scaled = scaled[:, :, columns - x0]
        return scaled[[distinct.index(kind) for kind in kinds]]


def cut(region: Region, tile: int, multiple: int) -> Iterator[Region]:
    """Cut a region into tiles of about the same size.

    Parameters
    ----------
    region : Region
        Begins at multiples of `multiple`.
    tile : int
        Pixels along a tile at most; rounded down to a `multiple`.
    multiple : int
        Tiles begin at multiples of this many pixels.

    Yields
    ------
    Region
        Row by row. Only the last of a row or column may have other than a `multiple`
        of pixels.
    """
    height, width = region.shape
    step_y = _step(height, tile, multiple)
    step_x = _step(width, tile, multiple)
    for y in range(region.y0, region.y1, step_y):
        for x in range(region.x0, region.x1, step_x):
            y1, x1 = min(y + step_y, region.y1), min(x + step_x, region.x1)
            yield Region(y, x, y1, x1, region.plane)


def _step(size: int, tile: int, multiple: int) -> int:
    most = max(multiple, tile // multiple * multiple)
    even = math.ceil(size / math.ceil(size / most))
    return math.ceil(even / multiple) * multiple


def _mirrored(
    begin: int, end: int, margin: int, multiple: int, size: int
) -> NDArray[np.intp]:
    """Return which pixel of an axis lies, or is seen, at each place of a tile."""
    stop = begin + math.ceil((end - begin) / multiple) * multiple
    places = np.arange(begin - margin, stop + margin)
    if size == 1:
        return np.zeros_like(places)
    period = 2 * (size - 1)
    places = np.abs(places) % period
    return np.minimum(places, period - places)
