"""How large tiles may be, and what running out of memory looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet.inference.prepare import PreparedNet

SMALLEST_TILE = 64
# On a CPU larger tiles waste less margin, but their maps leave the caches.
CPU_TILE = 512
GPU_TILE = 1024
GPU_BATCH = 8
# Of the free memory, what a prediction may take: others need some, too.
SHARE = 0.5
# Feature maps of full resolution that exist at once: the copy for the other side,
# what goes into a convolution, what comes out, and its working memory.
LIVE_MAPS = 8


def choose_tile(prepared: PreparedNet, free: int) -> tuple[int, int]:
    """Return pixels along a tile and tiles in a batch for so much free memory.

    Parameters
    ----------
    prepared : PreparedNet
        What the tiles are for.
    free : int
        Bytes, on the net's device.
    """
    on_cpu = prepared.device.name == "cpu"
    tile = CPU_TILE if on_cpu else GPU_TILE
    while tile > SMALLEST_TILE and _needed(prepared, tile) > SHARE * free:
        tile //= 2
    if on_cpu:
        return tile, 1
    fitting = int(SHARE * free / _needed(prepared, tile))
    return tile, min(max(fitting, 1), GPU_BATCH)


def _needed(prepared: PreparedNet, tile: int) -> int:
    pixels = (tile + 2 * prepared.margin) ** 2
    width = prepared.net.classify.in_channels
    return pixels * width * prepared.device.dtype.itemsize * LIVE_MAPS
