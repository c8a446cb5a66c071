"""Fit a model to other classes or another number of channels, keeping the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.models.model import Model, build

if TYPE_CHECKING:
    from torch import Tensor

    from napari_unet.annotation import ClassScheme


def adapt(
    model: Model, *, classes: ClassScheme, channels: int, name: str, seed: int = 0
) -> Model:
    """Return a copy of `model` for these classes and channels, to be fine-tuned.

    Where the class names differ, the 1x1 convolution is made anew, keeping the
    filters of the classes whose names stay. Where the number of channels differs,
    the first convolution is made to answer to an image repeated over the channels as
    it did before. Every other weight is kept.

    Parameters
    ----------
    model : Model
        The base model; it is not changed.
    classes : ClassScheme
        Of the new model, background first.
    channels : int
        Channels of the new model's images.
    name : str
        Of the new model.
    seed : int
        For the filters of new classes.
    """
    spec = model.spec.model_copy(
        update={
            "name": name,
            "classes": classes,
            "channels": channels,
            "description": f"Fine-tuned from '{model.spec.name}'.",
            "provenance": {"base": model.spec.name, **model.spec.provenance},
        }
    )
    adapted = build(spec, seed=seed)
    new, old = adapted.net.state_dict(), model.net.state_dict()
    for key, value in old.items():
        if value.shape == new[key].shape:
            new[key].copy_(value)
    first = "down.0.0.weight"
    new[first].copy_(_channels(old[first], channels))
    for key in ("classify.weight", "classify.bias"):
        _keep_classes(new[key], old[key], classes.names, model.spec.classes.names)
    return adapted


def _channels(weight: Tensor, channels: int) -> Tensor:
    """Spread a first convolution ``(out, in, 3, 3)`` over another number of inputs."""
    if weight.shape[1] == channels:
        return weight
    return weight.sum(1, keepdim=True).repeat(1, channels, 1, 1) / channels


def _keep_classes(
    new: Tensor, old: Tensor, names: tuple[str, ...], before: tuple[str, ...]
) -> None:
    """Copy the filters of the classes that both have; the others keep a fresh start."""
    for index, name in enumerate(names):
        if name in before:
            new[index].copy_(old[before.index(name)])
