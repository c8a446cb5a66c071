"""Fit a model to other classes or another number of channels, keeping the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.models.model import Model, build
from napari_unet.models.spec import BEGAN_WITH

if TYPE_CHECKING:
    from torch import Tensor

    from napari_unet.annotation import ClassScheme
    from napari_unet.models.architecture import Architecture
    from napari_unet.models.spec import ModelSpec


def adapt(
    model: Model,
    *,
    classes: ClassScheme,
    channels: int,
    name: str,
    architecture: Architecture | None = None,
    seed: int = 0,
) -> Model:
    """Return a copy of `model` for these classes and channels, to be fine-tuned.

    The filters of classes whose names stay are kept, wherever the class stands now:
    their logits do not change. Where the number of channels differs, the first
    convolution is made to answer to an image repeated over the channels as it did
    before. Every other weight is kept.

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
    architecture : Architecture, optional
        Of the new model, if it is another, such as FCN-16s for FCN-32s: what has the
        same name and shape in both nets is carried over.
    seed : int
        For the filters of new classes.
    """
    architecture = architecture or model.spec.architecture
    shares = bool({*classes.names[1:]} & {*model.spec.classes.names[1:]})
    refines = shares and architecture == model.spec.architecture
    spec = model.spec.model_copy(
        update={
            "name": name,
            "classes": classes,
            "channels": channels,
            "description": f"Fine-tuned from '{model.spec.name}'.",
            "provenance": _provenance(model.spec, refines),
            "architecture": architecture,
            "pixel_size": None,
        }
    )
    if not shares:
        # Objects of other classes have another size, and edges yet to be learnt.
        spec = spec.model_copy(update={"diameter": None, "valley": None})
    adapted = build(spec, seed=seed)
    new, old = adapted.net.state_dict(), model.net.state_dict()
    first = adapted.net.first_layer
    if first in old and old[first].shape[0] == new[first].shape[0]:
        old[first] = _channels(old[first], channels)
    of_classes = tuple(f"{layer}." for layer in adapted.net.class_layers)
    for key in old.keys() & new.keys():
        if key.startswith(of_classes):
            if old[key].shape[1:] == new[key].shape[1:]:
                _keep_rows(new[key], old[key], classes.names, model.spec.classes.names)
        elif old[key].shape == new[key].shape:
            new[key].copy_(old[key])
    return adapted


def _provenance(base: ModelSpec, refines: bool) -> dict[str, str]:
    """Return where a model comes from that begins with `base`.

    What is told of the base, such as its data and their licence, is told as the base's;
    after it what is told of the base's own base.
    """
    began = "base" if refines else "pretrained"
    told: dict[str, str] = {}
    for key, text in base.provenance.items():
        if key in BEGAN_WITH:
            continue
        key = f"{began}_{key.removeprefix('base_').removeprefix('pretrained_')}"
        told[key] = f"{text}; {told[key]}" if key in told else text
    told[began] = base.name
    if refines:
        told["base_classes"] = ", ".join(base.classes.names)
    return told


def _channels(weight: Tensor, channels: int) -> Tensor:
    """Spread a first convolution ``(out, in, 3, 3)`` over another number of inputs."""
    if weight.shape[1] == channels:
        return weight
    return weight.sum(1, keepdim=True).repeat(1, channels, 1, 1) / channels


def _keep_rows(
    new: Tensor, old: Tensor, names: tuple[str, ...], before: tuple[str, ...]
) -> None:
    """Copy the filters of what both have; the others keep a fresh start.

    A layer has as many filters for each class, in their order; where one is left over
    it is for the boundary.
    """
    each = max(1, len(new) // len(names))
    if len(new) % len(names) and len(old) % len(before):
        new[-1].copy_(old[-1])
    for index, name in enumerate(names):
        if name in before:
            to, of = each * index, each * before.index(name)
            new[to : to + each].copy_(old[of : of + each])
