"""How well the averaged weights do on labels that training never sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.metrics import confusion, dice
from napari_unet.nets.device import autocast
from napari_unet.nets.layers import crop_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_unet.training.data import Crops
    from napari_unet.training.learner import Learner


@torch.no_grad()
def validate(learner: Learner, batches: Iterable[Crops]) -> tuple[float | None, ...]:
    """Return the Dice of each class over all held-out pixels, 0 to 1.

    Parameters
    ----------
    learner : Learner
        Its averaged weights are judged.
    batches : iterable of Crops
        Crops as they are in the image, without augmentation, labelled only where
        labels are held out.

    Returns
    -------
    tuple of float or None
        One a class; None where no pixel of the class is held out.
    """
    n_classes = len(learner.spec.classes)
    counts = np.zeros((n_classes, n_classes), np.int64)
    for crops in batches:
        with autocast(learner.device):
            out = learner.average(crops.image.to(learner.device.name))
        out = crop_to(out, crops.classes)
        found = out[:, :n_classes].argmax(1).cpu().numpy()
        counts += confusion(crops.classes.numpy(), found, n_classes)
    there = counts.sum(axis=1) > 0
    return tuple(
        float(d) if known else None
        for d, known in zip(dice(counts), there, strict=True)
    )
