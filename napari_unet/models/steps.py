"""The steps of a net and the maps they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# The layer at the end of a net that learns boundaries too.
SIDE_BY_SIDE = "classes and boundary"
Kind = Literal["image", "conv", "pool", "up", "join", "sum", "score", "crop"]


@dataclass(frozen=True)
class Step:
    """One step of a net and the feature maps that it gives.

    Attributes
    ----------
    kind : str
        A convolution ("conv"), pooling, upsampling ("up"), copy and crop ("join"),
        "sum", a 1x1 convolution that scores classes ("score"), or a crop.
    layer : str
        The name of the layer in the net; empty for what is no layer.
    of : tuple of int
        The steps whose maps it takes, by their place in the blueprint.
    channels, height, width : int
        Of its maps.
    level : int
        How often the image has been halved.
    kernel : int
        Pixels along a side; 0 for what has none.
    parameters, flop : int
        Weights, those of a norm after it included, and multiplications and additions.
    receptive_field : int
        How many pixels of the image, along a side, one pixel of a map can see.
    """

    kind: Kind
    layer: str
    of: tuple[int, ...]
    channels: int
    height: int
    width: int
    level: int = 0
    kernel: int = 0
    parameters: int = 0
    flop: int = 0
    receptive_field: int = 1

    @property
    def size(self) -> str:
        """Height, width and channels, as ``388x388x2``."""
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass
class Blueprint:
    """All steps of a net for an image, the image first, the outcome last.

    Attributes
    ----------
    steps : list of Step
        Up to where the size does not fit, if it does not.
    problem : str or None
        What does not fit.
    """

    steps: list[Step] = field(default_factory=list)
    problem: str | None = None

    @property
    def parameters(self) -> int:
        """Of all steps."""
        return sum(step.parameters for step in self.steps)

    @property
    def flop(self) -> int:
        """Of all steps, for one image."""
        return sum(step.flop for step in self.steps)

    @property
    def receptive_field(self) -> int:
        """Of a pixel of the outcome."""
        return self.steps[-1].receptive_field
