"""``napari-unet summary``: what a net does to an image, step by step."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_unet.cli.terminal import user_errors
from napari_unet.errors import ModelError

if TYPE_CHECKING:
    from napari_unet.models.steps import Blueprint

USUAL = 512
COLUMNS = ("layer", "step", "kernel", "output", "parameters", "sees", "GFLOP")


def summary(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="NET",
            help="A net (unet, unet-2015, fcn-32s, fcn-16s, fcn-8s, patches) or a "
            "model, by its name or folder.",
        ),
    ],
    size: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="HxW",
            help="Height x width in pixels; 512x512 if absent, or a little more.",
        ),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Of the image; 1 if absent, or the model's.", min=1
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="With background; 2 if absent, or the model's.",
            min=1,
        ),
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the net into this file.")
    ] = None,
) -> None:
    """Show a net's layers, sizes of maps, parameters and what a pixel can see."""
    from napari_unet.images import written_whole
    from napari_unet.models import new_net, read_spec
    from napari_unet.models.blueprint import blueprint, fitting_sides
    from napari_unet.models.drawing import draw, to_svg

    with user_errors():
        net = new_net(spec)
        if net is None:
            model = read_spec(spec)
            net, channels = model.architecture, channels or model.channels
            classes = classes or len(model.classes)
        if size is None:
            height = width = fitting_sides(net, USUAL)[1]
        else:
            height, width = _size(size)
        layout = blueprint(
            net, height, width, channels=channels or 1, n_classes=classes or 2
        )
        if svg is not None:
            with written_whole(svg) as new:
                new.write_text(to_svg(draw(layout)), encoding="utf-8")
        typer.echo(str(net))
        for row in table(layout):
            typer.echo(row)
        if layout.problem:
            sides = {n: fitting_sides(net, n) for n in (height, width)}
            near = " and ".join(
                f"{' or '.join(str(s) for s in dict.fromkeys(pair) if s)} for {n}"
                for n, pair in sides.items()
                if n not in pair
            )
            raise ModelError(
                f"{height} x {width} pixels do not go through: {layout.problem}. The "
                f"nearest sides that do are {near}."
            )
        last = layout.steps[-1]
        typer.echo(
            f"{layout.parameters:,} parameters, {layout.flop / 1e9:.1f} GFLOP, a pixel "
            f"sees {layout.receptive_field} x {layout.receptive_field} pixels"
        )
        typer.echo(f"{height}x{width}x{layout.steps[0].channels} -> {last.size}")


def table(layout: "Blueprint") -> list[str]:
    """Return a line for each step of a net."""
    rows = [COLUMNS]
    for step in layout.steps:
        rows.append(
            (
                step.layer,
                step.kind,
                f"{step.kernel}x{step.kernel}" if step.kernel else "",
                step.size,
                f"{step.parameters:,}" if step.parameters else "",
                str(step.receptive_field),
                f"{step.flop / 1e9:.2f}" if step.flop else "",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(w) if i < 2 else text.rjust(w)
            for i, (text, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})(?:[x×](\d{1,6}))?", text)
    sides = [int(n) for n in match.groups(default=match[1])] if match else [0]
    if min(sides) < 1:
        raise ModelError(
            f"'{text}' is no size of an image. Give height x width in pixels, such as "
            "572x572."
        )
    return sides[0], sides[1]
