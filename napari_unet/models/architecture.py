"""The nets that a model may have, and those of the papers by name."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A description that does not change and knows all of its entries."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PatchArchitecture(Frozen):
    """The parameters of a `nets.PatchClassifier`."""

    name: Literal["patches"] = "patches"
    width: int = Field(16, ge=1, le=256)
    hidden: int = Field(128, ge=1, le=4096)

    @property
    def boundary(self) -> bool:
        """It is too coarse for boundaries."""
        return False

    def __str__(self) -> str:
        return f"patch classifier, width {self.width}, {self.hidden} hidden"


class MaskRCNNArchitecture(Frozen):
    """A `nets.MaskRCNN`; torchvision decides the rest."""

    name: Literal["maskrcnn"] = "maskrcnn"

    @property
    def boundary(self) -> bool:
        """The edges of its masks are boundaries."""
        return True

    def __str__(self) -> str:
        return "Mask R-CNN, ResNet-50 with a feature pyramid"


class _Architecture(Frozen):
    norm: Literal["batch", "layer", "none"] = "batch"
    boundary: bool = True

    def _parts(self) -> list[str]:
        heads = ["with boundaries"] if self.boundary else []
        return [f"norm {self.norm}", *heads]


class UNetArchitecture(_Architecture):
    """The parameters of a `nets.UNet`."""

    name: Literal["unet"] = "unet"
    depth: int = Field(4, ge=1, le=7)
    width: int = Field(16, ge=1, le=1024)
    max_width: int = Field(256, ge=1, le=4096)
    padding: Literal["same", "valid"] = "same"
    dropout: float = Field(0.0, ge=0, lt=1)

    def __str__(self) -> str:
        parts = [
            f"U-Net, depth {self.depth}",
            f"width {self.width} to {self.max_width}",
            f"padding {self.padding}",
            *self._parts(),
        ]
        return ", ".join(parts)


class FCNArchitecture(_Architecture):
    """The parameters of a `nets.FCN`."""

    name: Literal["fcn"] = "fcn"
    stride: Literal[8, 16, 32] = 8
    width: int = Field(32, ge=1, le=1024)
    max_width: int = Field(256, ge=1, le=4096)
    hidden: int = Field(512, ge=1, le=4096)

    def __str__(self) -> str:
        parts = [
            f"FCN-{self.stride}s",
            f"width {self.width} to {self.max_width}",
            f"{self.hidden} hidden",
            *self._parts(),
        ]
        return ", ".join(parts)


Architecture: TypeAlias = Annotated[
    UNetArchitecture | FCNArchitecture | PatchArchitecture | MaskRCNNArchitecture,
    Field(discriminator="name"),
]

ARCHITECTURES: dict[str, Architecture] = {
    "unet": UNetArchitecture(),
    "unet-2015": UNetArchitecture(
        width=64,
        max_width=1024,
        norm="none",
        padding="valid",
        boundary=False,
        dropout=0.5,
    ),
    "fcn-32s": FCNArchitecture(stride=32, boundary=False),
    "fcn-16s": FCNArchitecture(stride=16, boundary=False),
    "fcn-8s": FCNArchitecture(stride=8, boundary=False),
    "patches": PatchArchitecture(),
    "maskrcnn": MaskRCNNArchitecture(),
}

TITLES = {
    "unet": "U-Net",
    "unet-2015": "U-Net of 2015, unpadded",
    "fcn-32s": "FCN-32s",
    "fcn-16s": "FCN-16s",
    "fcn-8s": "FCN-8s",
    "patches": "Patch classifier, from clicks",
    "maskrcnn": "Mask R-CNN",
}
# What an extra brings, and the package that it needs.
EXTRAS = {"maskrcnn": "torchvision"}


def missing_extra(name: str) -> str | None:
    """Return how to install what a net of `ARCHITECTURES` needs, if it is missing."""
    if name not in EXTRAS or find_spec(EXTRAS[name]) is not None:
        return None
    return f'pip install "napari-unet-annotator[{name}]"'


def new_net(base: str) -> Architecture | None:
    """Return the net that a `base` without weights names.

    Parameters
    ----------
    base : str
        One of `ARCHITECTURES`, "none" for the usual U-Net, or the name or folder of a
        model, for which there is None: it has a net and weights.
    """
    return ARCHITECTURES.get("unet" if base == "none" else base)
