"""A net made ready for inference: on its device, lean, from pixels to classes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.inference.tiles import Source, cut
from napari_unet.nets.device import Device, empty_cache, move
from napari_unet.nets.lean import fold_batch_norms, join_relus, remove_padding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.images import Region
    from napari_unet.nets import UNet

PREVIEW_TILE = 512


@dataclass(frozen=True)
class PreparedNet:
    """A net for inference; made by `prepare`.

    Attributes
    ----------
    net : UNet
        Unpadded, without its distance map.
    device : Device
    """

    net: UNet
    device: Device

    @property
    def multiple(self) -> int:
        """Tiles begin at multiples of this many pixels."""
        return self.net.multiple

    @property
    def margin(self) -> int:
        """How many pixels a tile needs around it."""
        return self.net.margin

    def classes(self, tiles: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
        """Return the most likely class of each pixel of some tiles.

        Parameters
        ----------
        tiles : sequence of ndarray, (C, Y + 2 margin, X + 2 margin), float32
            All of the same shape, a `multiple` and twice the margin along a side.

        Returns
        -------
        ndarray, (N, Y, X), uint8
        """
        with torch.inference_mode():
            logits = self._logits(tiles)
            classes: NDArray[np.uint8] = logits.argmax(1).to(torch.uint8).cpu().numpy()
            return classes

    def probabilities(
        self, tiles: Sequence[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return how likely each class is, ``(N, n_classes, Y, X)``, adding up to 1."""
        with torch.inference_mode():
            likely: NDArray[np.float32] = (
                self._logits(tiles).float().softmax(1).cpu().numpy()
            )
            return likely

    def free_unused_memory(self) -> None:
        """Give back what torch keeps for later; it may be in too small pieces."""
        empty_cache(self.device)

    def _logits(self, tiles: Sequence[NDArray[np.float32]]) -> Tensor:
        # One tile needs no copy into a batch.
        batch = tiles[0][np.newaxis] if len(tiles) == 1 else np.stack(tiles)
        x = torch.from_numpy(batch).to(
            self.device.name,
            self.device.dtype,
            memory_format=self.device.memory_format,
        )
        out: Tensor = self.net(x)
        edge = self.margin - self.net.halo
        return out[..., edge:-edge, edge:-edge]


def prepare(net: UNet, device: Device) -> PreparedNet:
    """Return a copy of a net that is lean and on its device.

    Batch norms are folded into the convolutions, padding is left out because a tile
    brings its own margin, and on a CPU each ReLU is joined with its convolution.

    Parameters
    ----------
    net : UNet
        Stays as it is.
    device : Device
        Where the copy goes, and its precision.
    """
    net = copy.deepcopy(net)
    net.distance = None
    fold_batch_norms(net)
    remove_padding(net)
    if device.name == "cpu":
        join_relus(net)
    net.requires_grad_(False)
    return PreparedNet(move(net, device), device)


def predict_proba(
    prepared: PreparedNet, source: Source, region: Region
) -> NDArray[np.float32]:
    """Return how likely each class is in a region of one plane.

    Parameters
    ----------
    prepared : PreparedNet
        The net.
    source : Source
        The image, its channels and their intensities.
    region : Region
        Anywhere inside the plane.

    Returns
    -------
    ndarray, (n_classes, Y, X), float32
        Adding up to 1 along the first axis; the same as for any other region that
        holds the pixel.
    """
    from napari_unet.images import Region

    multiple, margin = prepared.multiple, prepared.margin
    y0, x0 = region.y0 // multiple * multiple, region.x0 // multiple * multiple
    aligned = Region(y0, x0, region.y1, region.x1, region.plane)
    n_classes = prepared.net.classify.out_channels
    likely = np.empty((n_classes, *aligned.shape), np.float32)
    for tile in cut(aligned, PREVIEW_TILE, multiple):
        height, width = tile.shape
        found = prepared.probabilities([source.read(tile, margin, multiple)])[0]
        rows = slice(tile.y0 - y0, tile.y1 - y0)
        columns = slice(tile.x0 - x0, tile.x1 - x0)
        likely[:, rows, columns] = found[:, :height, :width]
    return likely[:, region.y0 - y0 :, region.x0 - x0 :]
