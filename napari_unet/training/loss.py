"""The loss on labelled pixels alone.

A pixel nobody labelled is unknown: it enters no sum, so its gradient is exactly zero
and more of them change nothing. Every mean is over labelled pixels only.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from napari_unet.annotation import IGNORE

# Boundaries are thin: of a nucleus they are a fifth.
BOUNDARY_WEIGHT = 3.0

# Labelled pixels with which `flooded` has half of its level: some two hundred strokes.
MANY = 30_000


def segmentation_loss(
    logits: Tensor,
    classes: Tensor,
    weight: Tensor,
    class_weight: Tensor,
    whole: Tensor | None = None,
) -> Tensor:
    """Cross-entropy plus Dice over the labelled pixels.

    Parameters
    ----------
    logits : Tensor
        ``(N, n_classes, Y, X)``, float32.
    classes : Tensor
        ``(N, Y, X)``, int64; -1 where not labelled.
    weight : Tensor
        ``(N, Y, X)``, of each pixel, at least 0: the border weight of Ronneberger
        et al. 2015, equation 2.
    class_weight : Tensor
        ``(n_classes,)``: more for rare classes.
    whole : Tensor, optional
        ``(N, Y, X)``, bool: where everything is labelled, and not only strokes. There
        all classes weigh the same: how rare one is belongs to the truth, and masks of a
        class that weighs more come out too large.

    Returns
    -------
    Tensor
        A scalar; zero, with zero gradient, where nothing is labelled.
    """
    # Found once: a mask is looked through at each use, and a GPU waited for.
    labelled = torch.nonzero(classes != IGNORE, as_tuple=True)
    z = logits.movedim(1, -1)[labelled]
    target = classes[labelled]
    if not len(target):
        return logits.sum() * 0
    of_class = class_weight[target]
    if whole is not None:
        of_class = torch.where(whole[labelled], 1.0, of_class)
    w = weight[labelled] * of_class
    entropy = functional.cross_entropy(z, target, reduction="none")
    return (w * entropy).sum() / w.sum() + dice_loss(z, target)


def dice_loss(z: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice, the mean over the classes that are there.

    Milletari, Navab and Ahmadi 2016 (V-Net), equation 3, with squares in the
    denominator.

    Parameters
    ----------
    z : Tensor
        ``(pixels, n_classes)``, the logits.
    target : Tensor
        ``(pixels,)``, int64.
    """
    p = z.softmax(dim=1)
    truth = functional.one_hot(target, z.shape[1]).to(p.dtype)
    there = truth.sum(dim=0) > 0
    both = (p * truth).sum(dim=0)
    either = (p * p).sum(dim=0) + truth.sum(dim=0)
    # Of a class that is not there nothing may be left, if the net is sure.
    dice = 2 * both / torch.where(there, either, 1)
    return 1 - dice.sum() / there.sum()


def flooded(loss: Tensor, n_classes: int, labelled: int) -> Tensor:
    """Keep the loss of few labels from falling to nothing.

    A net that has a few strokes by heart says of the rest of the image what it likes.
    Below half of what a net has that finds all classes alike, the loss is brought up
    again (Ishida et al. 2020, *Do we need zero training loss after achieving zero
    training error?*, equation 2). That level falls with what is labelled.

    Parameters
    ----------
    loss : Tensor
        A scalar, of `segmentation_loss`.
    n_classes : int
        How many classes there are, 2 or more.
    labelled : int
        Labelled pixels in all images.

    Returns
    -------
    Tensor
        A scalar: ``|loss - level| + level``.
    """
    alike = math.log(n_classes) + (n_classes - 1) / (n_classes + 1)
    level = alike / 2 * MANY / (MANY + labelled)
    return (loss - level).abs() + level


def boundary_loss(
    logits: Tensor, boundary: Tensor, known: Tensor, weight: Tensor
) -> Tensor:
    """Binary cross-entropy of the boundary where objects are verified.

    Parameters
    ----------
    logits : Tensor
        ``(N, Y, X)``, float32.
    boundary, known : Tensor
        ``(N, Y, X)``, bool.
    weight : Tensor
        ``(N, Y, X)``, float32: how much each pixel counts.
    """
    places = torch.nonzero(known, as_tuple=True)
    if not len(places[0]):
        return logits.sum() * 0
    return functional.binary_cross_entropy_with_logits(
        logits[places],
        boundary[places].to(logits.dtype),
        weight[places],
        pos_weight=logits.new_full((), BOUNDARY_WEIGHT),
    )


def balance(counts: Tensor) -> Tensor:
    """Weigh classes by the inverse square root of how much of each is labelled.

    Parameters
    ----------
    counts : Tensor
        ``(n_classes,)``, labelled pixels of each class.

    Returns
    -------
    Tensor
        ``(n_classes,)`` with mean 1 over the classes that are labelled at all.
    """
    counts = counts.to(torch.float32)
    weight = counts.clamp(min=1).rsqrt()
    return weight / weight[counts > 0].mean() if (counts > 0).any() else weight
