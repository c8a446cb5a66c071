"""A model: its description and its net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_unet.models.architecture import Architecture
    from napari_unet.models.spec import ModelSpec
    from napari_unet.nets import SegmentationNet


@dataclass(frozen=True)
class Model:
    """A description and the net that it describes."""

    spec: ModelSpec
    net: SegmentationNet


def build(spec: ModelSpec, *, seed: int = 0) -> Model:
    """Return a model of `spec` with random weights, the same for the same `seed`."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build_net(spec.architecture, spec.channels, len(spec.classes))
    return Model(spec, net)


def build_net(
    architecture: Architecture, channels: int, n_classes: int
) -> SegmentationNet:
    """Return a net with random weights for images of so many channels."""
    from napari_unet.nets import FCN, MaskRCNN, PatchClassifier, UNet

    nets: dict[str, type[SegmentationNet]] = {
        "unet": UNet,
        "fcn": FCN,
        "patches": PatchClassifier,
        "maskrcnn": MaskRCNN,
    }
    options = architecture.model_dump(exclude={"name"})
    return nets[architecture.name](channels, n_classes, **options)
