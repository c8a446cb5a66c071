"""The tiles that are still to be predicted, and what happens when memory runs out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from napari_unet.errors import DeviceError, is_out_of_memory
from napari_unet.inference.events import TileDone, Warned
from napari_unet.inference.memory import SMALLEST_TILE
from napari_unet.inference.tiles import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.images import Region
    from napari_unet.inference.prepare import PreparedNet
    from napari_unet.inference.tiles import Source


class TileQueue:
    """Predicts regions tile by tile.

    Parameters
    ----------
    prepared : PreparedNet
    source : Source
        The image.
    regions : iterable of Region
        Each plane's, in order; each begins at multiples of the net's `multiple`.
    tile : int
        Pixels along a tile at most.
    batch : int
        Tiles computed at once, at most.

    Attributes
    ----------
    tile : int
        Smaller than at first where memory ran out.
    total : int
        Tiles done and to do.
    """

    def __init__(
        self,
        prepared: PreparedNet,
        source: Source,
        regions: Iterable[Region],
        tile: int,
        batch: int,
    ) -> None:
        self.tile = tile
        self._batch = batch
        self._prepared = prepared
        self._source = source
        self._todo: deque[Region] = deque()
        self._done = 0
        self._cut(regions)

    @property
    def total(self) -> int:
        """Tiles done and to do."""
        return self._done + len(self._todo)

    @property
    def next_plane(self) -> Mapping[str, int] | None:
        """The plane of the next tile; None when all are done."""
        return self._todo[0].plane if self._todo else None

    def advance(
        self, semantic: NDArray[np.uint8], height: NDArray[np.uint8] | None = None
    ) -> Iterator[TileDone | Warned]:
        """Predict the next tiles, or cut what is left smaller if memory runs out.

        Parameters
        ----------
        semantic, height : ndarray, (Y, X), uint8
            The next plane's maps are written here; see `PreparedNet.maps`.

        Yields
        ------
        TileDone or Warned

        Raises
        ------
        DeviceError
            If memory is too small for the smallest tile.
        """
        regions = self._next()
        try:
            maps = self._predict(regions)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            maps = None
        # Outside the handler, because the error keeps the memory of the failed tile.
        if maps is None:
            yield self._halve()
            return
        for i, region in enumerate(regions):
            for plane, tiles in zip((semantic, height), maps, strict=True):
                if plane is not None and tiles is not None:
                    y, x = region.shape
                    plane[region.slices] = tiles[i, :y, :x]
            self._todo.popleft()
            self._done += 1
            yield TileDone(region, self._done, self.total)

    def _next(self) -> list[Region]:
        """Return the next tiles that can be computed at once."""
        first = self._todo[0]
        regions: list[Region] = []
        for region in self._todo:
            alike = region.shape == first.shape and region.plane == first.plane
            if len(regions) == self._batch or not alike:
                break
            regions.append(region)
        return regions

    def _predict(
        self, regions: list[Region]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        prepared = self._prepared
        return prepared.maps(
            [
                self._source.read(region, prepared.margin, prepared.multiple)
                for region in regions
            ]
        )

    def _halve(self) -> Warned:
        self._prepared.free_unused_memory()
        where = self._prepared.device.label
        if self.tile <= SMALLEST_TILE:
            raise DeviceError(
                f"{where} has too little free memory for this model, even for a tile "
                f"of {self.tile} pixels. Close other programs, or choose another "
                "device."
            )
        before = min(self.tile, max(max(region.shape) for region in self._todo))
        self.tile = max(SMALLEST_TILE, before // 2)
        self._batch = 1
        regions = list(self._todo)
        self._todo.clear()
        self._cut(regions)
        return Warned(
            f"{where} ran out of memory with a tile of {before} pixels; going on with "
            f"{self.tile}. The result is the same."
        )

    def _cut(self, regions: Iterable[Region]) -> None:
        for region in regions:
            self._todo.extend(cut(region, self.tile, self._prepared.multiple))
