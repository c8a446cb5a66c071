"""A net made ready for inference: on its device, lean, from pixels to classes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.nets.device import Device, empty_cache, move
from napari_unet.nets.lean import fold_batch_norms, join_relus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.nets import SegmentationNet

# The axes along which a tile is turned over: not at all, up-down, left-right, both.
AS_IT_IS = ((),)
FLIPS = ((), (-2,), (-1,), (-2, -1))


@dataclass(frozen=True)
class PreparedNet:
    """A net for inference; made by `prepare`.

    Attributes
    ----------
    net : SegmentationNet
        Lean: see `SegmentationNet.make_lean`.
    device : Device
    views : tuple of tuple of int
        The axes along which a tile is flipped, for each time that the net looks at it;
        its logits are averaged.
    """

    net: SegmentationNet
    device: Device
    views: tuple[tuple[int, ...], ...] = AS_IT_IS

    @property
    def n_classes(self) -> int:
        """How many of the maps are classes."""
        return self.net.n_classes

    @property
    def multiple(self) -> int:
        """Tiles begin at multiples of this many pixels."""
        return self.net.multiple

    @property
    def margin(self) -> int:
        """How many pixels a tile needs around it."""
        return self.net.margin

    def maps(
        self, tiles: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Return what whole images are segmented from.

        Parameters
        ----------
        tiles : sequence of ndarray, (C, Y + 2 margin, X + 2 margin), float32
            All of the same shape, a `multiple` and twice the margin along a side.

        Returns
        -------
        classes : ndarray, (N, Y, X), uint8
            The most likely class.
        height : ndarray, (N, Y, X), uint8, or None
            How likely the pixel is inside an object, 0 to 255; None where the net has
            no boundaries.
        """
        with torch.inference_mode():
            logits = self._logits(tiles)
            classes = logits[:, : self.n_classes].argmax(1).to(torch.uint8)
            return classes.cpu().numpy(), self._height(logits)

    def probabilities(
        self, tiles: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """Return how likely each class is, ``(N, n_classes, Y, X)``, and the height.

        The probabilities add up to 1; the height is that of `maps`.
        """
        with torch.inference_mode():
            logits = self._logits(tiles)
            likely = logits[:, : self.n_classes].float().softmax(1).cpu().numpy()
            return likely, self._height(logits)

    def _height(self, logits: Tensor) -> NDArray[np.uint8] | None:
        if logits.shape[1] == self.n_classes:
            return None
        maps = logits.float()
        inside = 1 - maps[:, : self.n_classes].softmax(1)[:, 0]
        height = inside * torch.sigmoid(-maps[:, self.n_classes])
        scaled: NDArray[np.uint8] = (height * 255).to(torch.uint8).cpu().numpy()
        return scaled

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
        out: Tensor = sum(
            self.net(x.flip(axes)).flip(axes) if axes else self.net(x)
            for axes in self.views
        )
        if len(self.views) > 1:
            out = out / len(self.views)
        edge = self.margin - self.net.halo
        return out[..., edge:-edge, edge:-edge]


def prepare(
    net: SegmentationNet, device: Device, *, flips: bool = False
) -> PreparedNet:
    """Return a copy of a net that is lean and on its device.

    Batch norms are folded into the convolutions, a U-Net's padding is left out because
    a tile brings its own margin, and on a CPU each ReLU is joined with its convolution.

    Parameters
    ----------
    net : SegmentationNet
        Stays as it is.
    device : Device
        Where the copy goes, and its precision.
    flips : bool
        Whether it looks at each tile from four sides, which takes four times as long.
    """
    device = device.suiting(net)
    net = copy.deepcopy(net)
    net.make_lean()
    fold_batch_norms(net)
    if device.name == "cpu":
        join_relus(net)
    net.requires_grad_(False)
    return PreparedNet(move(net, device), device, FLIPS if flips else AS_IT_IS)
