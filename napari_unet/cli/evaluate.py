"""``napari-unet evaluate``: a model's predictions beside masks, in figures."""

import json as jsons
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_unet.cli.failures import Failures
from napari_unet.cli.options import (
    Axes,
    Channel,
    DeviceName,
    Diameter,
    Flips,
    ImageFolder,
    MinSize,
    ModelName,
)
from napari_unet.cli.terminal import (
    BAD_INPUT,
    STOPPED,
    error_console,
    interrupted,
    progress_bar,
    say,
    user_errors,
)
from napari_unet.inference.config import (
    PredictConfig,
    parse_channels,
    parse_diameter,
)

if TYPE_CHECKING:
    from rich.console import Console

    from napari_unet.cli.evaluation import Evaluation, Scored
    from napari_unet.cli.report import Gallery


def evaluate(
    model: ModelName,
    images: ImageFolder,
    masks: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of true masks, named like the images: objects numbered 1.., "
            "or with --semantic the class of each pixel.",
        ),
    ],
    semantic: Annotated[
        bool,
        typer.Option(
            "--semantic", metavar="", help="The masks hold classes, not objects."
        ),
    ] = False,
    channel: Channel = None,
    axes: Axes = None,
    diameter: Diameter = None,
    device: DeviceName = PredictConfig.device,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with pictures, in HTML."),
    ] = None,
    min_size: MinSize = PredictConfig.min_size,
    flips: Flips = PredictConfig.flips,
    json: Annotated[
        bool,
        typer.Option("--json", metavar="", help="Print everything as one JSON object."),
    ] = False,
) -> None:
    """Say how well a model finds what is in the masks."""
    console = error_console()
    with user_errors():
        config = PredictConfig(
            device=device,
            channels=parse_channels(channel),
            diameter=parse_diameter(diameter),
            min_size=min_size,
            flips=flips,
        )
        from napari_unet.cli.evaluation import Evaluation, summary
        from napari_unet.cli.pairs import pair_files
        from napari_unet.cli.report import Gallery, write_report
        from napari_unet.images import check_writable
        from napari_unet.models import load_model

        if report is not None:
            check_writable(report)
        pairs = pair_files(
            images,
            "--images",
            masks,
            "--masks",
            tell=lambda note: say(console, note, "yellow"),
        )
        unet = load_model(model)
        failures = Failures(console)
        with interrupted() as stop:
            evaluation = Evaluation(
                unet, config, semantic=semantic, axes=axes, cancel=stop.is_set
            )
            gallery = None if report is None else Gallery()
            scored = _score_all(evaluation, pairs, console, failures, gallery)
            if stop.is_set():
                say(console, f"Stopped. Images scored: {len(scored)} of {len(pairs)}.")
            if scored:
                figures = summary(scored)
                print(jsons.dumps(figures) if json else _table(figures))
                if report is not None and gallery is not None:
                    write_report(report, model, gallery, figures)
    if stop.is_set():
        raise typer.Exit(STOPPED)
    if failures.count:
        raise typer.Exit(BAD_INPUT)


def _score_all(
    evaluation: "Evaluation",
    pairs: dict[str, tuple[Path, Path]],
    console: "Console",
    failures: Failures,
    gallery: "Gallery | None",
) -> list["Scored"]:
    """Return the scores of all images; those until then, where it is stopped."""
    from napari_unet.nets.allocator import kept_memory

    scored: list[Scored] = []
    with progress_bar(console) as bar, kept_memory(), suppress(KeyboardInterrupt):
        task = bar.add_task("evaluating", total=len(pairs))
        for stem, (image, mask) in pairs.items():
            with failures.of(image):
                one, scene = evaluation.score(stem, image, mask)
                for note in one.notes:
                    say(console, f"{image}: {note}", "yellow")
                scored.append(one)
                if gallery is not None:
                    gallery.add(one, scene)
            bar.advance(task)
    return scored


def _table(figures: dict[str, Any]) -> str:
    lines = [_count(figures["images"], "image")]
    if "ap_pooled" in figures:
        lines.append("AP at IoU   " + "  ".join(figures["ap_pooled"]))
        for word in ("pooled", "mean"):
            values = figures[f"ap_{word}"].values()
            lines.append(f"{word:10}  " + "  ".join(f"{v:.2f}" for v in values))
        lines.append(
            f"F1 {figures['f1']:.3f}, panoptic quality "
            f"{figures['panoptic_quality']:.3f}, SEG {figures['seg']:.3f}, "
            f"{_count(figures['merges'], 'merge')}, "
            f"{_count(figures['splits'], 'split')}"
        )
    for name, value in figures["dice"].items():
        lines.append(f"{name}: Dice {value:.3f}, IoU {figures['iou'][name]:.3f}")
    lines.append("worst: " + ", ".join(row["image"] for row in figures["worst"]))
    return "\n".join(lines)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + "s" * (n != 1)
