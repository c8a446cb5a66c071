"""Climb a map: which pixels have the same summit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.instances.grid import Grid, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hills = NDArray[np.uint16]
    Ways = NDArray[np.uint8]
    Kinds = NDArray[np.unsignedinteger]

# The way from a pixel that is in no object.
NOWHERE = 255

# The bits that `cc3d.voxel_connectivity_graph` has for the steps in `Grid.earlier`.
EARLIER_BITS = {
    2: (7, 3, 6, 1),
    3: (25, 17, 24, 15, 5, 14, 23, 16, 22, 9, 3, 8, 1),
}


def smooth(height: NDArray[np.uint8], kinds: Kinds, grid: Grid) -> Hills:
    """Return the weighted mean of each pixel and its neighbours, as whole numbers.

    The weights are 1 2 1 along each axis.

    Parameters
    ----------
    height : ndarray, (Y, X) or (Z, Y, X), uint8
        The map.
    kinds : ndarray, (n,), unsigned
        The class of each pixel of `grid`.
    grid : Grid
        Of the map.

    Returns
    -------
    ndarray, (n,), uint16
        0 outside objects. Inside 16 times the mean, plus 1; in three dimensions four
        times that, which makes a stack of equal planes as high as one of them.
    """
    raw = grid.flat(height, mode="edge")
    hills = np.zeros(len(raw), np.uint16)
    lowest = np.uint16(4 ** (height.ndim - 2))
    reach = sum(grid.strides)
    for block in grid.blocks():
        h = raw[block.start - reach : block.stop + reach].astype(np.uint16)
        for stride in grid.strides:
            h = h[: -2 * stride] + 2 * h[stride:-stride] + h[2 * stride :]
        np.multiply(h + lowest, kinds[block] > 0, out=hills[block])
    return hills


def climb(hills: Hills, kinds: Kinds, grid: Grid) -> Ways:
    """Return the steepest way up from each pixel.

    Of neighbours with the same height it is the last in `Grid.steps`.

    Parameters
    ----------
    hills : ndarray, (n,), uint16
        Heights of the pixels of `grid`, from `smooth`.
    kinds : ndarray, (n,), unsigned
        Their classes; a way leads to the same class only.
    grid : Grid
        Of both.

    Returns
    -------
    ndarray, (n,), uint8
        An index into ``(*grid.steps, 0)``: the last is a summit. `NOWHERE` outside
        objects.
    """
    summit = len(grid.steps)
    bits = summit.bit_length()
    # Height and way in one number: one maximum finds both.
    wide: Any = np.min_scalar_type((int(hills.max()) + 1) << bits).type
    ways = np.full(len(hills), NOWHERE, np.uint8)
    reach = sum(grid.strides)
    # In blocks: numpy counts 64 bits for each pixel.
    blocks = [np.bincount(kinds[block], minlength=256) for block in grid.blocks()]
    present = np.flatnonzero(np.sum(blocks, axis=0)[1:]) + 1
    for value in present:
        for block in grid.blocks():
            around = slice(block.start - reach, block.stop + reach)
            heights = hills[around].astype(wide)
            if len(present) > 1:
                heights *= kinds[around] == value
            heights <<= wide(bits)
            here = slice(reach, len(heights) - reach)
            best = heights[here] | wide(summit)
            other = np.empty_like(best)
            for way, step in enumerate(grid.steps):
                np.bitwise_or(heights[moved(here, step)], wide(way), out=other)
                np.maximum(best, other, out=best)
            best &= wide((1 << bits) - 1)
            mine = kinds[block] == value
            np.copyto(ways[block], best, casting="unsafe", where=mine)
    return ways


def follow(ways: Ways, pixels: NDArray[np.intp], grid: Grid) -> NDArray[np.intp]:
    """Return the summit that the ways lead to from each pixel of objects."""
    steps = np.array([*grid.steps, 0])
    while (further := pixels + steps[ways[pixels]]).tobytes() != pixels.tobytes():
        pixels = further
    return pixels


def basins(
    ways: Ways, level: NDArray[np.bool_], kinds: Kinds, grid: Grid
) -> tuple[NDArray[np.uint32], int]:
    """Return numbers that pixels share which ways join.

    Parameters
    ----------
    ways : ndarray, (n,), uint8
        From `climb`.
    level : ndarray, (n,), bool
        Where neighbours of one class are joined anyway.
    kinds : ndarray, (n,), unsigned
        The class of each pixel.
    grid : Grid
        Of all of them.

    Returns
    -------
    ndarray, (n,), uint32
        From 1, in the order of first pixels. Pixels outside objects have numbers too.
    int
        The largest number.
    """
    import cc3d

    ndim, half = len(grid.shape), len(grid.earlier)
    kind = np.uint8 if ndim == 2 else np.uint32
    graph: NDArray[Any] = np.zeros(len(ways), kind)
    nowhere = ways == NOWHERE
    # Runs of background share a number, so that there are not too many.
    graph[1:] = (nowhere[1:] & nowhere[:-1]) * kind(1 << EARLIER_BITS[ndim][-1])
    for block in grid.blocks():
        here = ways[block]
        for way, (step, bit) in enumerate(
            zip(grid.earlier, EARLIER_BITS[ndim], strict=True)
        ):
            there = moved(block, step)
            flat = level[block] & level[there]
            flat &= kinds[block] == kinds[there]
            joined = flat | (here == way) | (ways[there] == way + half)
            graph[block] |= joined.astype(kind) << kind(bit)
    number, count = cc3d.color_connectivity_graph(
        graph.reshape(grid.shape).T, connectivity=3**ndim - 1, return_N=True
    )
    return np.ascontiguousarray(number.T).reshape(-1), int(count)
