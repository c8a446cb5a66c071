"""A net's steps for a size of image, put one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.models.steps import Blueprint, Step

if TYPE_CHECKING:
    from napari_unet.models.steps import Kind


class Misfit(Exception):
    """A size that a step cannot take, in words."""


class Draft:
    """A blueprint in the making; each method adds a step and returns its place.

    Each takes the place of the step that it comes after, and raises `Misfit` where the
    size does not fit.

    Parameters
    ----------
    height, width, channels : int
        Of the image.
    normed : bool
        Whether a norm follows each 3x3 convolution.

    Attributes
    ----------
    made : Blueprint
        So far.
    jump : int
        How far apart neighbours in a map are in the image.
    """

    def __init__(self, height: int, width: int, channels: int, *, normed: bool) -> None:
        self._normed = normed
        self.made = Blueprint([Step("image", "image", (), channels, height, width)])
        self.jump = 1

    def __getitem__(self, place: int) -> Step:
        return self.made.steps[place]

    def add(self, step: Step) -> int:
        """Add any step."""
        if min(step.height, step.width) < 1:
            raise Misfit(f"nothing is left of the image after '{step.layer}'")
        self.made.steps.append(step)
        return len(self.made.steps) - 1

    def conv(
        self, x: int, layer: str, channels: int, kernel: int = 3, *, padded: bool
    ) -> int:
        """Add a convolution with the norm after it."""
        s = self[x]
        lost = 0 if padded else kernel - 1
        height, width = s.height - lost, s.width - lost
        weights = kernel * kernel * s.channels * channels
        # A bias, or the scale and the shift of a norm.
        normed = kernel == 3 and self._normed
        extra = channels * (2 if normed else 1)
        return self.add(
            Step(
                "conv",
                layer,
                (x,),
                channels,
                height,
                width,
                s.level,
                kernel,
                weights + extra,
                2 * weights * height * width,
                s.receptive_field + (kernel - 1) * self.jump,
            )
        )

    def pool(self, x: int, *, ceil: bool = False) -> int:
        """Halve the maps; odd sides only where they may be rounded up."""
        s = self[x]
        if not ceil and (s.height % 2 or s.width % 2):
            raise Misfit(
                f"{s.height} x {s.width} pixels after '{s.layer}' cannot be halved "
                "evenly"
            )
        field = s.receptive_field + self.jump
        self.jump *= 2
        height, width = -(-s.height // 2), -(-s.width // 2)
        return self.add(
            Step(
                *("pool", "max pooling", (x,), s.channels, height, width),
                level=s.level + 1,
                kernel=2,
                receptive_field=field,
            )
        )

    def up_convolution(self, x: int, layer: str, channels: int) -> int:
        """Double the maps by a convolution that each pixel spreads into four."""
        s = self[x]
        self.jump //= 2
        weights = 4 * s.channels * channels
        return self.add(
            Step(
                *("up", layer, (x,), channels, 2 * s.height, 2 * s.width),
                level=s.level - 1,
                kernel=2,
                parameters=weights + channels,
                flop=2 * weights * s.height * s.width,
                receptive_field=s.receptive_field,
            )
        )

    def bilinear(self, x: int, layer: str, stride: int) -> int:
        """Add an upsampling that begins as bilinear interpolation; crop the edge."""
        s = self[x]
        field = s.receptive_field + self.jump
        self.jump //= stride
        weights = (2 * stride) ** 2 * s.channels
        return self.add(
            Step(
                *("up", layer, (x,), s.channels, stride * s.height, stride * s.width),
                level=s.level - stride.bit_length() + 1,
                kernel=2 * stride,
                parameters=weights,
                flop=2 * weights * (s.height + 2) * (s.width + 2),
                receptive_field=field,
            )
        )

    def score(self, x: int, layer: str, scores: int) -> int:
        """Add a 1x1 convolution that gives one map for each class."""
        s = self[x]
        weights = s.channels * scores
        return self.add(
            Step(
                *("score", layer, (x,), scores, s.height, s.width),
                level=s.level,
                kernel=1,
                parameters=weights + scores,
                flop=2 * weights * s.height * s.width,
                receptive_field=s.receptive_field,
            )
        )

    def merge(self, kind: Kind, layer: str, x: int, skip: int) -> int:
        """Copy and crop: put maps beside each other, or add them."""
        a, b = self[x], self[skip]
        height, width = min(a.height, b.height), min(a.width, b.width)
        channels = a.channels + (b.channels if kind == "join" else 0)
        field = max(a.receptive_field, b.receptive_field)
        return self.add(
            Step(
                *(kind, layer, (x, skip), channels, height, width),
                level=a.level,
                receptive_field=field,
            )
        )

    def crop(self, x: int, height: int, width: int) -> int:
        """Cut the edges off, if there is anything to cut."""
        s = self[x]
        if (s.height, s.width) == (height, width):
            return x
        return self.add(
            Step(
                *("crop", "crop", (x,), s.channels, height, width),
                receptive_field=s.receptive_field,
            )
        )
