"""The steps of a net for one size of image, by arithmetic: needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.errors import ModelError
from napari_unet.models.architecture import (
    FCNArchitecture,
    MaskRCNNArchitecture,
    PatchArchitecture,
    UNetArchitecture,
)
from napari_unet.models.draft import Draft, Misfit
from napari_unet.models.steps import SIDE_BY_SIDE, Step

if TYPE_CHECKING:
    from napari_unet.models.architecture import Architecture
    from napari_unet.models.spec import ModelSpec
    from napari_unet.models.steps import Blueprint

# The 3x3 convolutions of each stage of VGG-16, and the kernel that covers what it
# flattens; see `nets.fcn`.
FCN_STAGES = (2, 2, 3, 3, 3)
FCN_KERNEL = 7
# Of `nets.patches`: the kernels, and pixels around an image that patches reach into.
PATCH_KERNELS = (5, 5, 3)
PATCH_AROUND = 14
PATCH_STRIDE = 8
PATCH_LAST = 2


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
    normed = getattr(architecture, "norm", "none") != "none"
    draft = Draft(height, width, channels, normed=normed)
    try:
        match architecture:
            case UNetArchitecture():
                _unet(draft, architecture, n_classes)
            case FCNArchitecture():
                _fcn(draft, architecture, n_classes)
            case PatchArchitecture():
                _patches(draft, architecture, n_classes)
    except Misfit as misfit:
        draft.made.problem = str(misfit)
    return draft.made


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


def _unet(draft: Draft, net: UNetArchitecture, n_classes: int) -> None:
    padded = net.padding == "same"
    image = draft[0]
    if padded:
        # The edge is repeated until both sides can be halved evenly.
        multiple = 1 << net.depth
        height, width = (
            -(-n // multiple) * multiple for n in (image.height, image.width)
        )
        if (height, width) != (image.height, image.width):
            step = Step("crop", "repeat the edge", (0,), image.channels, height, width)
            draft.add(step)
    x = len(draft.made.steps) - 1
    skips = []
    widths = [min(net.width << level, net.max_width) for level in range(net.depth + 1)]
    for level, channels in enumerate(widths):
        if level:
            skips.append(x)
            x = draft.pool(x)
        for i in (0, 3):
            x = draft.conv(x, f"down.{level}.{i}", channels, padded=padded)
    for n, channels in enumerate(reversed(widths[:-1])):
        x = draft.up_convolution(x, f"upsample.{n}", channels)
        x = draft.merge("join", "copy and crop", x, skips.pop())
        for i in (0, 3):
            x = draft.conv(x, f"up.{n}.{i}", channels, padded=padded)
    _scores(draft, x, n_classes, net.boundary)
    if padded:
        last = len(draft.made.steps) - 1
        draft.crop(last, image.height, image.width)


def _scores(draft: Draft, x: int, n_classes: int, boundary: bool) -> None:
    classes = draft.score(x, "classify", n_classes)
    if boundary:
        draft.merge("join", SIDE_BY_SIDE, classes, draft.score(x, "boundary", 1))


def _fcn(draft: Draft, net: FCNArchitecture, n_classes: int) -> None:
    image, x, pooled = draft[0], 0, []
    for level, convs in enumerate(FCN_STAGES):
        channels = min(net.width << level, net.max_width)
        for i in range(convs):
            x = draft.conv(x, f"down.{level}.{3 * i}", channels, padded=True)
        x = draft.pool(x, ceil=True)
        pooled.append(x)
    for i, kernel in enumerate((FCN_KERNEL, 1)):
        x = draft.conv(x, f"head.{3 * i}", net.hidden, kernel, padded=True)
    scores = n_classes + net.boundary
    x = draft.score(x, "score", scores)
    stride, n = 32, 0
    while stride > net.stride:
        skip = pooled[-2 - n]
        x = draft.bilinear(x, f"upsample.{n}", 2)
        scored = draft.score(skip, f"skip_scores.{n}", scores)
        x = draft.merge("sum", "crop and add", x, scored)
        stride, n = stride // 2, n + 1
    x = draft.bilinear(x, f"upsample.{n}", stride)
    draft.crop(x, image.height, image.width)


def _patches(draft: Draft, net: PatchArchitecture, n_classes: int) -> None:
    image = draft[0]
    height, width = (
        -(-n // PATCH_STRIDE) * PATCH_STRIDE + 2 * PATCH_AROUND
        for n in (image.height, image.width)
    )
    x = draft.add(Step("crop", "repeat the edge", (0,), image.channels, height, width))
    for level, kernel in enumerate(PATCH_KERNELS):
        name = f"classifier.{3 * level}"
        x = draft.conv(x, name, net.width << level, kernel, padded=False)
        x = draft.pool(x)
    head = 3 * len(PATCH_KERNELS) + 1
    x = draft.conv(x, f"classifier.{head}", net.hidden, PATCH_LAST, padded=False)
    x = draft.score(x, f"classifier.{head + 3}", n_classes)
    s = draft[x]
    sides = s.height * PATCH_STRIDE, s.width * PATCH_STRIDE
    field = s.receptive_field + draft.jump
    x = draft.add(
        Step("up", "interpolate", (x,), n_classes, *sides, receptive_field=field)
    )
    draft.crop(x, image.height, image.width)
