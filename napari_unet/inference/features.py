"""The feature maps inside a net: what each of its steps makes of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.models import Model
    from napari_unet.models.steps import Blueprint


def feature_maps(
    model: Model, pixels: NDArray[np.float32], blueprint: Blueprint, place: int
) -> NDArray[np.float32]:
    """Run a net as far as it goes and return the maps of one of its steps.

    Parameters
    ----------
    model : Model
        What to look into.
    pixels : ndarray, (C, Y, X), float32
        Normalised.
    blueprint : Blueprint
        The model's, for this size.
    place : int
        Of the step in the blueprint.

    Returns
    -------
    ndarray, float32
        ``(channels, height, width)`` of the step; of a convolution what is left after
        its norm and ReLU.
    """
    step = blueprint.steps[place]
    seen: list[Tensor] = []

    def keep_output(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        seen.append(output.clone())

    def keep_input(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(torch.cat([x for x in inputs if x is not None], dim=1))

    consumer = next(
        (s for s in blueprint.steps if place in s.of and s.parameters), None
    )
    if step.parameters:
        hook: Any = _activated(model.net, step.layer).register_forward_hook(keep_output)
    elif consumer is not None:
        # What is no layer of its own is what the next one takes.
        layer = model.net.get_submodule(consumer.layer)
        hook = layer.register_forward_pre_hook(keep_input)
    else:
        hook = model.net.register_forward_hook(keep_output)
    try:
        with torch.no_grad():
            model.net.eval()(torch.from_numpy(pixels)[None])
    finally:
        hook.remove()
    maps: NDArray[np.float32] = seen[0][0].float().numpy()
    return maps[:, : step.height, : step.width]


def _activated(net: nn.Module, name: str) -> nn.Module:
    """Return the ReLU that follows a layer, or the layer if none does."""
    parent, _, index = name.rpartition(".")
    block = net.get_submodule(parent) if parent else None
    if isinstance(block, nn.Sequential):
        for layer in list(block)[int(index) :]:
            if isinstance(layer, nn.ReLU):
                return layer
    return net.get_submodule(name)
