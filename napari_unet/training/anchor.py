"""What holds a net to the base model that it refines."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from napari_unet.annotation import IGNORE
from napari_unet.nets.device import autocast
from napari_unet.nets.layers import crop_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.nets import SegmentationNet
    from napari_unet.nets.device import Device

# How much it counts, beside the loss of the labels, that the net says the same as its
# base where nobody labelled.
HOLD = 10.0
# Labelled pixels with which that counts half as much.
MANY = 10_000
# How fast it gives way: a power of the share of labelled pixels that are right.
DOUBT = 3
# Steps over which that share is a running mean.
MEMORY = 20


class Anchor:
    """A base model, to whose answers a net is held where nobody labelled.

    Corrections are painted where a model is wrong. Learnt alone, they undo what it had
    right. So at each pixel without a label the net is to say what the base says of the
    same crop (Li and Hoiem 2016, *Learning without Forgetting*, equation 2, at a
    temperature of 1). That counts less where more is labelled, and where more of it
    stays wrong: the base is then wrong elsewhere, too. Classes that the base does not
    know are left out, so that they may spread.

    Parameters
    ----------
    net : SegmentationNet
        With the weights of the base model.
    classes : sequence of int
        Those of the net's classes that the base model knows.
    device : Device
        Where the net is.
    """

    def __init__(
        self, net: SegmentationNet, classes: Sequence[int], device: Device
    ) -> None:
        self._base = copy.deepcopy(net).eval().requires_grad_(False)
        # On the device once: a list is brought there at each step, which waits for it.
        self._classes = torch.tensor(classes, dtype=torch.int64).to(device.name)
        self._device = device
        self._wrong = 0.0

    def heed(self, errors: NDArray[np.float32]) -> None:
        """Take note of the share of wrong labelled pixels in each crop of a step."""
        self._wrong += (float(errors.mean()) - self._wrong) / MEMORY

    def loss(
        self, image: Tensor, out: Tensor, classes: Tensor, known: Tensor, labelled: int
    ) -> Tensor:
        """Return how far the net is from its base where nobody labelled.

        Parameters
        ----------
        image : Tensor
            ``(N, C, Y, X)``, on the device, what both are shown.
        out : Tensor
            ``(N, K, Y, X)``, float32, what the net says.
        classes : Tensor
            ``(N, Y, X)``, int64; -1 where not labelled.
        known : Tensor
            ``(N, Y, X)``, bool: where the boundaries are known.
        labelled : int
            Labelled pixels in all images.

        Returns
        -------
        Tensor
            A scalar, 0 or above: the mean Kullback-Leibler divergence of the classes
            and of the boundary, times what it counts.
        """
        with torch.no_grad(), autocast(self._device):
            said = crop_to(self._base(image), classes).float()
        loss = _divergence(
            said.index_select(1, self._classes),
            out.index_select(1, self._classes),
            classes == IGNORE,
        )
        if self._base.boundary_head:
            loss = loss + _divergence(_yes_or_no(said), _yes_or_no(out), ~known)
        trust = (1 - self._wrong) ** DOUBT * MANY / (MANY + labelled)
        return HOLD * trust * loss

    def keep_statistics(self, net: SegmentationNet) -> None:
        """Leave the batch norms of a net that is trained as the base model has them.

        What one image looks like says little of others that the base knows.
        """
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.eval()


def _divergence(said: Tensor, out: Tensor, where: Tensor) -> Tensor:
    """Return the mean divergence of the logits `out` from `said`, over some pixels."""
    divergence = functional.kl_div(
        out.log_softmax(1), said.log_softmax(1), reduction="none", log_target=True
    )
    return (divergence.sum(1) * where).sum() / where.sum().clamp(min=1)


def _yes_or_no(out: Tensor) -> Tensor:
    """Return the logit of the boundary, the last map, as logits of two classes."""
    boundary = out[:, -1]
    return torch.stack([boundary, torch.zeros_like(boundary)], dim=1)
