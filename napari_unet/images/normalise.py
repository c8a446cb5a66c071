"""Intensity normalisation by percentiles of the whole image."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.images.chunks import block_shape
from napari_unet.images.image import Image
from napari_unet.images.region import Region

_SAMPLE = 4_000_000
_MOST_READ = 64 * _SAMPLE
# Half the largest float64, so that the distance of two values never overflows.
_LIMIT = 8e307
_FLOOR, _CEILING = -1.0, 3.0


@dataclass(frozen=True)
class IntensityRange:
    """The intensities that become 0 and 1, for each chosen channel.

    Attributes
    ----------
    low, high : tuple of float
        One number a channel, in the image's own units; `low` is at most `high`.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        fits = len(self.low) == len(self.high) and all(
            -math.inf < low <= high < math.inf
            for low, high in zip(self.low, self.high, strict=False)
        )
        if not fits:
            raise ValueError(f"not a range of intensities: {self}")

    def apply(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Scale pixels so that `low` becomes 0 and `high` becomes 1.

        Parameters
        ----------
        pixels : ndarray, (C, Y, X)
            Of any type of real numbers; one channel for each of `low`.

        Returns
        -------
        ndarray, (C, Y, X), float32
            Within [-1, 3]. A channel whose range is empty, and every NaN, becomes 0.
        """
        if len(pixels) != len(self.low):
            raise ValueError(f"{len(pixels)} channels for {len(self.low)} ranges")
        scaled = np.empty(pixels.shape, np.float32)
        # 16 bits fit into float32 exactly; a narrow range on a high offset needs more.
        work = np.float32 if pixels.dtype.itemsize <= 2 else np.float64
        for channel, low, high, out in zip(
            pixels, self.low, self.high, scaled, strict=True
        ):
            span = work(high - low)
            if span <= 0:
                out[...] = 0
                continue
            with np.errstate(over="ignore", invalid="ignore"):
                values = channel.astype(work)
                values -= work(low)
                values /= span
            np.clip(values, _FLOOR, _CEILING, out=values)
            if channel.dtype.kind == "f":
                np.nan_to_num(values, copy=False, nan=0.0)
            out[...] = values
        return scaled


def measure_intensity(
    image: Image,
    channels: Sequence[int],
    low: float = 1.0,
    high: float = 99.8,
    check: Callable[[], None] = lambda: None,
) -> IntensityRange:
    """Measure the percentiles of channels over the whole image, all planes.

    Up to 4 million pixels are looked at one by one; of a larger image a regular
    sample of about as many. Of an image beyond 256 million pixels only blocks are
    read, spread over it by chance but always the same ones.

    Parameters
    ----------
    image : Image
        Read block by block, so that a large one fits into memory.
    channels : sequence of int
        One channel may come more than once.
    low, high : float
        Percentiles, 0 to 100.
    check : callable, optional
        Called before each block is read; what it raises ends the measuring.

    Returns
    -------
    IntensityRange
        Where the two percentiles are equal (nearly all pixels black, or saturated)
        a channel's minimum and maximum stand in their place; NaN and infinities do
        not count.
    """
    distinct = sorted(set(channels))
    blocks = _blocks(image)
    read = sum(b.shape[0] * b.shape[1] for b in blocks)
    step = max(1, math.ceil(math.sqrt(read / _SAMPLE)))
    samples = []
    for block in blocks:
        check()
        # A copy, because a view would keep its whole block in memory.
        samples.append(image.read(block, distinct)[:, ::step, ::step].copy())
    ranges = {
        channel: _percentiles([s[i].ravel() for s in samples], low, high)
        for i, channel in enumerate(distinct)
    }
    return IntensityRange(
        tuple(ranges[c][0] for c in channels), tuple(ranges[c][1] for c in channels)
    )


def _blocks(image: Image) -> list[Region]:
    """Cut the image into blocks made of whole chunks; choose some if it is huge."""
    height, width = image.plane_shape
    block_y, block_x = block_shape(image)
    grid = (
        *image.stack_shape,
        math.ceil(height / block_y),
        math.ceil(width / block_x),
    )
    total, most = math.prod(grid), max(1, _MOST_READ // (block_y * block_x))
    chosen = np.arange(total)
    if total > most:
        # Every n-th block could hit the same column of blocks each time.
        rng = np.random.default_rng(0)
        chosen = np.sort(rng.choice(total, most, replace=False))
    blocks = []
    for *plane, row, column in zip(*np.unravel_index(chosen, grid), strict=True):
        y, x = int(row) * block_y, int(column) * block_x
        position = {a: int(i) for a, i in zip(image.stack_axes, plane, strict=True)}
        blocks.append(
            Region(y, x, min(y + block_y, height), min(x + block_x, width), position)
        )
    return blocks


def _percentiles(
    samples: list[npt.NDArray[Any]], low: float, high: float
) -> tuple[float, float]:
    with np.errstate(over="ignore"):
        values = np.concatenate(samples).astype(np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 0.0
    np.clip(values, -_LIMIT, _LIMIT, out=values)
    below, above = np.percentile(values, [low, high])
    if below >= above:
        below, above = values.min(), values.max()
    return float(below), float(above)
