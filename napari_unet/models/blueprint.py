"""The steps of a net for one size of image, by arithmetic: needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari_unet.errors import ModelError
from napari_unet.models.architecture import (
    FCNArchitecture,
    MaskRCNNArchitecture,
    PatchArchitecture,
    UNetArchitecture,
)

if TYPE_CHECKING:
    from napari_unet.models.architecture import Architecture
    from napari_unet.models.spec import ModelSpec

Kind = Literal["image", "conv", "pool", "up", "join", "sum", "score", "crop"]

# The 3x3 convolutions of each stage of VGG-16, and the kernel that covers what it
# flattens; see `nets.fcn`.
FCN_STAGES = (2, 2, 3, 3, 3)
FCN_KERNEL = 7
# Of `nets.patches`: the kernels, and pixels around an image that patches reach into.
PATCH_KERNELS = (5, 5, 3)
PATCH_AROUND = 14
PATCH_STRIDE = 8
PATCH_LAST = 2


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


def blueprint(
    architecture: Architecture,
    height: int,
    width: int,
    *,
    channels: int = 1,
    n_classes: int = 2,
) -> Blueprint:
    """Return the steps of a net for an image of ``(channels, height, width)``.

    Raises
    ------
    ModelError
        If the net is not one chain of maps.
    """
    if isinstance(architecture, MaskRCNNArchitecture):
        raise ModelError(
            "A Mask R-CNN is several nets that work on boxes, and not one chain of "
            "maps, so it has no drawing. Choose a U-Net or an FCN."
        )
    plan = _Plan(architecture, height, width, channels)
    try:
        match architecture:
            case UNetArchitecture():
                _unet(plan, architecture, n_classes)
            case FCNArchitecture():
                _fcn(plan, architecture, n_classes)
            case PatchArchitecture():
                _patches(plan, architecture, n_classes)
    except _Misfit as misfit:
        plan.made.problem = str(misfit)
    return plan.made


def blueprint_of(spec: ModelSpec, height: int, width: int) -> Blueprint:
    """Return the steps of a model for an image of ``(height, width)``."""
    return blueprint(
        spec.architecture,
        height,
        width,
        channels=spec.channels,
        n_classes=len(spec.classes),
    )


def fitting_sides(architecture: Architecture, side: int) -> tuple[int | None, int]:
    """Return the nearest sides, at most and at least `side`, that go through.

    The first is None where the net takes nothing so small.
    """

    def fits(n: int) -> bool:
        return n > 0 and blueprint(architecture, n, n).problem is None

    smaller = next((n for n in range(side, 0, -1) if fits(n)), None)
    return smaller, next(n for n in range(max(side, 1), side + 100_000) if fits(n))


class _Misfit(Exception):
    """A size that a step cannot take."""


class _Plan:
    """A blueprint in the making; each method adds a step and returns its place."""

    def __init__(
        self,
        architecture: Architecture,
        height: int,
        width: int,
        channels: int,
    ) -> None:
        self.norm = getattr(architecture, "norm", "none")
        self.made = Blueprint([Step("image", "image", (), channels, height, width)])
        # How far apart neighbours in a map are in the image.
        self.jump = 1

    def __getitem__(self, place: int) -> Step:
        return self.made.steps[place]

    def add(self, step: Step) -> int:
        if min(step.height, step.width) < 1:
            raise _Misfit(f"nothing is left of the image after '{step.layer}'")
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
        normed = kernel == 3 and self.norm != "none"
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
        s = self[x]
        if not ceil and (s.height % 2 or s.width % 2):
            raise _Misfit(
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
        s = self[x]
        if (s.height, s.width) == (height, width):
            return x
        return self.add(
            Step(
                *("crop", "crop", (x,), s.channels, height, width),
                receptive_field=s.receptive_field,
            )
        )


def _unet(plan: _Plan, net: UNetArchitecture, n_classes: int) -> None:
    padded = net.padding == "same"
    image = plan[0]
    if padded:
        # The edge is repeated until both sides can be halved evenly.
        multiple = 1 << net.depth
        height, width = (
            -(-n // multiple) * multiple for n in (image.height, image.width)
        )
        if (height, width) != (image.height, image.width):
            step = Step("crop", "repeat the edge", (0,), image.channels, height, width)
            plan.add(step)
    x = len(plan.made.steps) - 1
    skips = []
    widths = [min(net.width << level, net.max_width) for level in range(net.depth + 1)]
    for level, channels in enumerate(widths):
        if level:
            skips.append(x)
            x = plan.pool(x)
        for i in (0, 3):
            x = plan.conv(x, f"down.{level}.{i}", channels, padded=padded)
    for n, channels in enumerate(reversed(widths[:-1])):
        x = plan.up_convolution(x, f"upsample.{n}", channels)
        x = plan.merge("join", "copy and crop", x, skips.pop())
        for i in (0, 3):
            x = plan.conv(x, f"up.{n}.{i}", channels, padded=padded)
    _scores(plan, x, n_classes, net.boundary)
    if padded:
        last = len(plan.made.steps) - 1
        plan.crop(last, image.height, image.width)


def _scores(plan: _Plan, x: int, n_classes: int, boundary: bool) -> None:
    classes = plan.score(x, "classify", n_classes)
    if boundary:
        plan.merge(
            "join", "classes and boundary", classes, plan.score(x, "boundary", 1)
        )


def _fcn(plan: _Plan, net: FCNArchitecture, n_classes: int) -> None:
    image, x, pooled = plan[0], 0, []
    for level, convs in enumerate(FCN_STAGES):
        channels = min(net.width << level, net.max_width)
        for i in range(convs):
            x = plan.conv(x, f"down.{level}.{3 * i}", channels, padded=True)
        x = plan.pool(x, ceil=True)
        pooled.append(x)
    for i, kernel in enumerate((FCN_KERNEL, 1)):
        x = plan.conv(x, f"head.{3 * i}", net.hidden, kernel, padded=True)
    scores = n_classes + net.boundary
    x = plan.score(x, "score", scores)
    stride, n = 32, 0
    while stride > net.stride:
        skip = pooled[-2 - n]
        x = plan.bilinear(x, f"upsample.{n}", 2)
        scored = plan.score(skip, f"skip_scores.{n}", scores)
        x = plan.merge("sum", "crop and add", x, scored)
        stride, n = stride // 2, n + 1
    x = plan.bilinear(x, f"upsample.{n}", stride)
    plan.crop(x, image.height, image.width)


def _patches(plan: _Plan, net: PatchArchitecture, n_classes: int) -> None:
    image = plan[0]
    height, width = (
        -(-n // PATCH_STRIDE) * PATCH_STRIDE + 2 * PATCH_AROUND
        for n in (image.height, image.width)
    )
    x = plan.add(Step("crop", "repeat the edge", (0,), image.channels, height, width))
    for level, kernel in enumerate(PATCH_KERNELS):
        name = f"classifier.{3 * level}"
        x = plan.conv(x, name, net.width << level, kernel, padded=False)
        x = plan.pool(x)
    head = 3 * len(PATCH_KERNELS) + 1
    x = plan.conv(x, f"classifier.{head}", net.hidden, PATCH_LAST, padded=False)
    x = plan.score(x, f"classifier.{head + 3}", n_classes)
    s = plan[x]
    sides = s.height * PATCH_STRIDE, s.width * PATCH_STRIDE
    field = s.receptive_field + plan.jump
    x = plan.add(
        Step("up", "interpolate", (x,), n_classes, *sides, receptive_field=field)
    )
    plan.crop(x, image.height, image.width)
