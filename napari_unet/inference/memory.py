"""How large tiles may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet.inference.prepare import PreparedNet

SMALLEST_TILE = 64
LARGEST_TILE = 1024
LARGEST_BATCH = 8
# Of the free memory, what a prediction may take: others need some, too.
SHARE = 0.5
# More is of no use on a CPU, and a slow one should not take many seconds for a tile.
MOST_ON_CPU = 1 << 30
# Feature maps of full resolution that exist at once, in units of the net's `maps`: what
# the expanding path gets of the contracting one, what goes into a convolution, what
# comes out, and its working memory.
LIVE_MAPS = 8


def choose_tile(
    prepared: PreparedNet, free: int, wanted: int | None = None
) -> tuple[int, int]:
    """Return pixels along a tile and tiles in a batch for so much free memory.

    Parameters
    ----------
    prepared : PreparedNet
        What the tiles are for.
    free : int
        Bytes, on the net's device.
    wanted : int, optional
        Pixels along a tile, where the user has chosen.
    """
    on_cpu, on_mps = (prepared.device.name == kind for kind in ("cpu", "mps"))
    memory = SHARE * free
    if on_cpu:
        memory = min(memory, MOST_ON_CPU)
    tile = wanted or LARGEST_TILE
    while not wanted and tile > SMALLEST_TILE and _needed(prepared, tile) > memory:
        tile //= 2
    fitting = int(memory / _needed(prepared, tile))
    # A tile of full size keeps an Apple GPU busy, and Metal ends the process where a
    # single array has more than 4 GB.
    return tile, 1 if on_cpu or on_mps else min(max(fitting, 1), LARGEST_BATCH)


def _needed(prepared: PreparedNet, tile: int) -> int:
    pixels = (tile + 2 * prepared.margin) ** 2
    return pixels * prepared.net.maps * prepared.device.dtype.itemsize * LIVE_MAPS
