"""A sparse array of planes: memory only where something was drawn."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.images.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

Key = tuple[int, ...]

SIDE = 256


class Blocks:
    """An array ``(..., Y, X)`` of zeros in which blocks of 256 x 256 can be written.

    A block is allocated when something other than zero is written into it and freed
    when nothing is left. A snapshot shares the blocks: sharing makes them read-only,
    and the first write afterwards replaces a block by a copy of its own.

    One thread may write; snapshots can be read by any.

    Parameters
    ----------
    shape : tuple of int
        Of the whole array, in the order of `axes`.
    dtype : dtype
        Of the values.
    axes : str
        One letter for each dimension, ending in ``YX``; the others are the keys of
        a region's `plane`.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: DTypeLike, axes: str = "YX"
    ) -> None:
        if len(shape) != len(axes) or not axes.endswith("YX"):
            raise ValueError(f"shape {shape} does not have the axes '{axes}'")
        self.shape = tuple(int(n) for n in shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.axes = axes
        self._blocks: dict[Key, NDArray[Any]] = {}
        self._values: dict[Key, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def nbytes(self) -> int:
        """Bytes that the allocated blocks take."""
        return sum(block.nbytes for block in self._blocks.values())

    def keys(self) -> list[Key]:
        """Return the keys of the allocated blocks, sorted."""
        return sorted(self._blocks)

    def block(self, key: Key) -> NDArray[Any]:
        """Return one block, read-only; zeros where nothing was written."""
        block = self._blocks.get(key)
        if block is None:
            return np.zeros(self.region(key).shape, self.dtype)
        view = block.view()
        view.flags.writeable = False
        return view

    def values(self, key: Key) -> NDArray[Any]:
        """Return the values in one block but 0, in order; looked up once."""
        if key not in self._values:
            import fastremap

            values = fastremap.unique(self.block(key))
            self._values[key] = values[values != 0]
        return self._values[key]

    def region(self, key: Key) -> Region:
        """Return where the block `key` lies; smaller at the ends of the plane."""
        *plane, row, column = key
        y, x = row * SIDE, column * SIDE
        return Region(
            y,
            x,
            min(y + SIDE, self.shape[-2]),
            min(x + SIDE, self.shape[-1]),
            dict(zip(self.axes[:-2], plane, strict=True)),
        )

    def planes(self) -> Iterator[Region]:
        """Yield a region for each plane that covers it."""
        height, width = self.shape[-2:]
        for plane in np.ndindex(self.shape[:-2]):
            at = dict(zip(self.axes[:-2], plane, strict=True))
            yield Region(0, 0, height, width, at)

    def index(self, region: Region) -> tuple[int | slice, ...]:
        """Return what cuts `region` out of a dense array of this shape."""
        return (*self._plane(region), *region.slices)

    def keys_in(self, region: Region) -> list[Key]:
        """Return the keys of the blocks that `region` meets, allocated or not."""
        height, width = self.shape[-2:]
        rows = range(max(region.y0, 0) // SIDE, -(-min(region.y1, height) // SIDE))
        columns = range(max(region.x0, 0) // SIDE, -(-min(region.x1, width) // SIDE))
        plane = self._plane(region)
        return [(*plane, row, column) for row, column in product(rows, columns)]

    def read(self, region: Region) -> NDArray[Any]:
        """Return a copy of `region`, ``(Y, X)``; zeros where it leaves the plane."""
        out = np.zeros(region.shape, self.dtype)
        for key in self.keys_in(region):
            block = self._blocks.get(key)
            if block is not None:
                inside, outside = self._overlap(key, region)
                out[outside] = block[inside]
        return out

    def write(self, region: Region, values: NDArray[Any] | int) -> None:
        """Write `values`, one number or ``(Y, X)``, into `region`."""
        if not self.holds(region):
            raise ValueError(f"{region} is outside an array of shape {self.shape}")
        values = np.broadcast_to(np.asarray(values, self.dtype), region.shape)
        for key in self.keys_in(region):
            inside, outside = self._overlap(key, region)
            part = values[outside]
            if key in self._blocks or part.any():
                block = self._own(key)
                block[inside] = part
                if not block.any():
                    del self._blocks[key]

    def differing(self, array: Any, within: Region | None = None) -> list[Region]:
        """Return the blocks in which a dense array is not what is stored here.

        Parameters
        ----------
        array : array-like
            ``(..., Y, X)`` of the same shape; read block by block.
        within : Region, optional
            Look at the blocks that this region meets.
        """
        if tuple(array.shape) != self.shape:
            raise ValueError(f"an array of {array.shape} is not one of {self.shape}")
        keys = self.keys_in(within) if within else self._all_keys()
        found = []
        for key in keys:
            region = self.region(key)
            there = np.asarray(array[self.index(region)])
            block = self._blocks.get(key)
            same = not there.any() if block is None else np.array_equal(there, block)
            if not same:
                found.append(region)
        return found

    def dense(self) -> NDArray[Any]:
        """Return the whole as an array of its own, ``(..., Y, X)``."""
        out = np.zeros(self.shape, self.dtype)
        for key, block in self._blocks.items():
            out[self.index(self.region(key))] = block
        return out

    def snapshot(self) -> Blocks:
        """Return an independent copy that shares the blocks until one is written."""
        for block in self._blocks.values():
            block.flags.writeable = False
        copy = Blocks(self.shape, self.dtype, self.axes)
        copy._blocks = dict(self._blocks)
        copy._values = dict(self._values)
        return copy

    def follow(self, other: Blocks) -> list[Key]:
        """Share all blocks of a snapshot; return the keys of those that were others."""
        keys = self._blocks.keys() | other._blocks.keys()
        changed = [k for k in keys if self._blocks.get(k) is not other._blocks.get(k)]
        self._blocks = dict(other._blocks)
        self._values = dict(other._values)
        return changed

    def holds(self, region: Region) -> bool:
        """Whether `region` lies inside the array."""
        plane = self._plane(region)
        return (
            0 <= region.y0 < region.y1 <= self.shape[-2]
            and 0 <= region.x0 < region.x1 <= self.shape[-1]
            and all(0 <= i < n for i, n in zip(plane, self.shape[:-2], strict=True))
        )

    def _own(self, key: Key) -> NDArray[Any]:
        """Return the block `key` so that it may be written."""
        self._values.pop(key, None)
        block = self._blocks.get(key)
        if block is None:
            block = np.zeros(self.region(key).shape, self.dtype)
        elif not block.flags.writeable:
            block = block.copy()
        self._blocks[key] = block
        return block

    def _overlap(
        self, key: Key, region: Region
    ) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return what block and region share, in each one's own pixels."""
        block = self.region(key)
        shared = block.intersect(region)
        assert shared is not None, "a block beside the region"
        return shared.within(block), shared.within(region)

    def _plane(self, region: Region) -> Key:
        if set(region.plane) != set(self.axes[:-2]):
            raise ValueError(f"{region} names no plane of the axes '{self.axes}'")
        return tuple(region.plane[axis] for axis in self.axes[:-2])

    def _all_keys(self) -> Iterator[Key]:
        rows, columns = (range(-(-n // SIDE)) for n in self.shape[-2:])
        return product(*map(range, self.shape[:-2]), rows, columns)
