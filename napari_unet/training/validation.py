"""How well the averaged weights do on labels that training never sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.metrics import confusion, dice
from napari_unet.nets.device import autocast
from napari_unet.nets.layers import crop_to

if TYPE_CHECKING:
    from napari_unet.training.data import TrainingSet
    from napari_unet.training.learner import Learner

# Crops that are looked at, at least.
FEWEST = 16


@torch.no_grad()
def validate(learner: Learner, data: TrainingSet) -> tuple[float | None, ...]:
    """Return the Dice of each class over held-out pixels, 0 to 1.

    The crops are as they are in the images, without augmentation. A look at one costs
    a third of learning from it: there are so many that a twentieth of the time or less
    goes into them.

    Parameters
    ----------
    learner : Learner
        Its averaged weights are judged.
    data : TrainingSet
        Has labels held out.

    Returns
    -------
    tuple of float or None
        One a class; None where no pixel of the class is held out.
    """
    n_classes = len(learner.spec.classes)
    most = max(FEWEST, learner.config.validate_every * learner.batch // 8)
    batches = data.held_out(learner.crop, context=learner.net.context, most=most)
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
