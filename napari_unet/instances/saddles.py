"""Join the hills of a map that have no real valley between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_unet.instances.ascent import basins, follow
from napari_unet.instances.grid import Grid, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.instances.ascent import Hills, Kinds, Ways

    Numbers = NDArray[np.uint32]
    Positions = NDArray[np.intp]


class Saddles(NamedTuple):
    """Where two basins meet, ``(n,)`` each: a pixel of each, and the lower height."""

    first: Positions
    second: Positions
    height: Hills


def join(
    hills: Hills, ways: Ways, kinds: Kinds, grid: Grid, valley: float
) -> tuple[Numbers, NDArray[np.uint32]]:
    """Return the hills of a map, joined where the valley between two is too shallow.

    The highest saddles come first; of equally high ones those between the summits
    that come first.

    Parameters
    ----------
    hills : ndarray, (n,), uint16
        Heights, from `ascent.smooth`.
    ways : ndarray, (n,), uint8
        From `ascent.climb`.
    kinds : ndarray, (n,), unsigned
        Classes.
    grid : Grid
        Of all of them.
    valley : float
        See `label_hills`.

    Returns
    -------
    number : ndarray, (n,), uint32
        Which part of a hill a pixel belongs to.
    hill : ndarray, (parts,), uint32
        The hill of each part: 1 to n in the order of first pixels, 0 for background.
    """
    # A saddle above this joins any two: most need not be looked at one by one.
    above = int((1 - valley) * int(hills.max()))
    number, count = basins(ways, hills > above, kinds, grid)
    summits = np.flatnonzero(ways == len(grid.steps))
    top = np.zeros(count + 1, np.uint16)
    np.maximum.at(top, number[summits], hills[summits])
    # What a saddle must rise above to join a basin with a higher one.
    floor = ((1 - valley) * top.astype(float)).astype(np.uint16)

    saddles = _saddles(number, hills, kinds, grid, floor)
    parent = np.arange(count + 1)
    if len(saddles.height):
        first, second, height = _ordered(saddles, number, ways, grid)
        parent = _unite(first, second, height, top, floor)
    inside = np.flatnonzero(top)
    _, lowest, which = np.unique(parent[inside], return_index=True, return_inverse=True)
    rank = np.empty(len(lowest), np.uint32)
    rank[np.argsort(lowest)] = np.arange(1, len(lowest) + 1)
    hill = np.zeros(count + 1, np.uint32)
    hill[inside] = rank[which]
    return number, hill


def _saddles(
    number: Numbers, hills: Hills, kinds: Kinds, grid: Grid, floor: Hills
) -> Saddles:
    """Return the saddles above the floor of one of their two basins.

    Others join nothing, now or later: floors only rise while basins are joined.
    """
    none = np.zeros(0, np.intp)
    found = [Saddles(none, none, np.zeros(0, np.uint16))]
    high = np.zeros(len(hills), bool)
    for block in grid.blocks():
        np.greater(hills[block], floor[number[block]], out=high[block])
        for step in grid.earlier:
            there = moved(block, step)
            meet = high[block] | high[there]
            meet &= number[block] != number[there]
            meet &= kinds[block] == kinds[there]
            at = np.flatnonzero(meet) + block.start
            height = np.minimum(hills[at], hills[at + step])
            low = np.minimum(floor[number[at]], floor[number[at + step]])
            at, height = at[height > low], height[height > low]
            found.append(Saddles(at, at + step, height))
    first, second, heights = zip(*found, strict=True)
    return Saddles(*map(np.concatenate, (first, second, heights)))


def _ordered(
    saddles: Saddles, number: Numbers, ways: Ways, grid: Grid
) -> tuple[Numbers, Numbers, Hills]:
    """Return which basins meet at the highest saddle of each two, from the highest."""
    a, b = number[saddles.first], number[saddles.second]
    pair = np.minimum(a, b).astype(np.int64) * (int(number.max()) + 1)
    names, pair = np.unique(pair + np.maximum(a, b), return_inverse=True)
    highest = np.zeros(len(names), np.uint16)
    np.maximum.at(highest, pair, saddles.height)
    kept = np.flatnonzero(saddles.height == highest[pair])
    first = follow(ways, saddles.first[kept], grid)
    second = follow(ways, saddles.second[kept], grid)
    down = -saddles.height[kept].astype(np.int32)
    order = np.lexsort((np.maximum(first, second), np.minimum(first, second), down))
    _, once = np.unique(pair[kept[order]], return_index=True)
    kept = kept[order[np.sort(once)]]
    return a[kept], b[kept], saddles.height[kept]


def _unite(
    first: Numbers,
    second: Numbers,
    height: Hills,
    top: Hills,
    floor: Hills,
) -> NDArray[np.intp]:
    """Return for each basin one that stands for all it is joined with."""
    parent, summit, least = list(range(len(top))), top.tolist(), floor.tolist()

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b, at in zip(first.tolist(), second.tolist(), height.tolist(), strict=True):
        a, b = root(a), root(b)
        low, high = (a, b) if summit[a] < summit[b] else (b, a)
        if at > least[low]:
            parent[low] = high
    stand = np.array(parent, np.intp)
    while (further := stand[stand]).tobytes() != stand.tobytes():
        stand = further
    return stand
