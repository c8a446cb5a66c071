"""A model: its description and its net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet.models.spec import ModelSpec
    from napari_unet.nets import UNet


@dataclass(frozen=True)
class Model:
    """A description and the net that it describes."""

    spec: ModelSpec
    net: UNet


def build(spec: ModelSpec, *, seed: int = 0) -> Model:
    """Return a model of `spec` with random weights, the same for the same `seed`."""
    import torch

    from napari_unet.nets import UNet

    a = spec.architecture
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = UNet(
            spec.channels,
            len(spec.classes),
            depth=a.depth,
            width=a.width,
            max_width=a.max_width,
            norm=a.norm,
            padding=a.padding,
            distance=a.distance,
        )
    return Model(spec, net)
