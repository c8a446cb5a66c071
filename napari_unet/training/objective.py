"""What a training step brings down: the loss of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation import IGNORE
from napari_unet.nets.device import autocast
from napari_unet.nets.layers import crop_to
from napari_unet.training.anchor import Anchor
from napari_unet.training.loss import (
    balance,
    boundary_loss,
    flooded,
    segmentation_loss,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.models import ModelSpec
    from napari_unet.nets import SegmentationNet
    from napari_unet.nets.device import Device
    from napari_unet.training.crops import Crops


class Objective:
    """The loss of what is labelled, and of what a refined model forgets.

    Parameters
    ----------
    net : SegmentationNet
        That is trained, on the device. If the model refines another it is held to what
        it says now: what that one says, or where a training goes on the checkpoint.
    spec : ModelSpec
        Of the model.
    device : Device
        Where the net is.
    """

    def __init__(self, net: SegmentationNet, spec: ModelSpec, device: Device) -> None:
        self._net = net
        self._n_classes = len(spec.classes)
        self._device = device
        self._anchor: Anchor | None = None
        if spec.refines:
            self._anchor = Anchor(net, spec.base_classes, device)

    def __call__(
        self, crops: Crops, counts: Tensor
    ) -> tuple[Tensor, NDArray[np.float32]]:
        """Return the loss of a batch, with its gradient, and what the net has wrong.

        Parameters
        ----------
        crops : Crops
            The batch, on the CPU.
        counts : Tensor
            ``(n_classes,)``, labelled pixels of each class in all images.

        Returns
        -------
        loss : Tensor
            A scalar.
        errors : ndarray
            ``(N,)``, float32: of each crop the share of wrong labelled pixels, 0 to 1.
            Nets with a loss of their own say nothing of pixels meanwhile: zero.
        """
        self._net.train()
        if self._net.own_loss:
            return self._of_net(crops), np.zeros(len(crops.image), np.float32)
        if self._anchor is not None:
            self._anchor.keep_statistics(self._net)
        loss, out = self._of_labels(crops, counts)
        errors = self._errors(out, crops)
        if self._anchor is not None:
            self._anchor.heed(errors)
        return loss, errors

    def _of_labels(self, crops: Crops, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the logits that it is of, ``(N, K, Y, X)``."""
        to, k = self._device.name, self._n_classes
        image = crops.image.to(to, memory_format=self._device.memory_format)
        classes, known, weight = (
            t.to(to) for t in (crops.classes, crops.known, crops.weight)
        )
        with autocast(self._device):
            out = crop_to(self._net(image), classes).float()
        loss = segmentation_loss(
            out[:, :k],
            classes,
            weight,
            balance(counts).to(to),
            # Nets without boundaries are trained with the balanced weights of 2015.
            known if self._net.boundary_head else None,
        )
        labelled = int(counts.sum())
        loss = flooded(loss, k, labelled)
        if self._net.boundary_head and crops.known.any():
            boundary = crops.boundary.to(to)
            loss = loss + boundary_loss(out[:, k], boundary, known, weight)
        if self._anchor is not None:
            loss = loss + self._anchor.loss(image, out, classes, known, labelled)
        return loss, out

    def _of_net(self, crops: Crops) -> Tensor:
        image = crops.image.to(self._device.name)
        return self._net.loss(image, crops.objects, crops.classes, crops.known)

    def _errors(self, out: Tensor, crops: Crops) -> NDArray[np.float32]:
        found = out.detach()[:, : self._n_classes].argmax(1).cpu()
        labelled = crops.classes != IGNORE
        wrong = (labelled & (found != crops.classes)).sum((1, 2))
        return (wrong / labelled.sum((1, 2)).clamp(min=1)).numpy()
