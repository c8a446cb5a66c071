"""``napari-unet predict``: images in, label TIFFs out."""

import json as jsons
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_unet.cli.failures import Failures
from napari_unet.cli.options import (
    Axes,
    Channel,
    DeviceName,
    Diameter,
    Flips,
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
from napari_unet.errors import UnetError
from napari_unet.inference.config import (
    Instances,
    PredictConfig,
    parse_channels,
    parse_diameter,
)

if TYPE_CHECKING:
    from threading import Event

    import numpy as np
    from rich.progress import Progress

    from napari_unet.cli.outputs import Job
    from napari_unet.images import Image
    from napari_unet.inference.prepare import PreparedNet
    from napari_unet.models import Model


@dataclass(frozen=True)
class Report:
    """What is said of one predicted image."""

    image: str
    shape: list[int]
    axes: str
    objects: int | None
    seconds: float
    megapixels_per_second: float
    device: str
    tile: int
    semantic: str
    instances: str | None

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape))
        found = "classes"
        if self.objects is not None:
            found = f"{self.objects} object" + "s" * (self.objects != 1)
        return (
            f"{self.image}: {found} in {size}, {self.seconds:.2f} s, "
            f"{self.megapixels_per_second:.2f} MP/s on {self.device}"
        )


def predict(
    images: Annotated[
        list[Path],
        # Those that may not be read are said one by one, and the others done.
        typer.Argument(
            metavar="IMAGES",
            help="Files, OME-Zarr folders, or folders of them.",
            readable=False,
        ),
    ],
    model: ModelName,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    channel: Channel = None,
    axes: Axes = None,
    device: DeviceName = PredictConfig.device,
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Side of a tile in pixels; the free memory decides if it is left out. "
            "Changes no result.",
        ),
    ] = PredictConfig.tile,
    instances: Annotated[
        Instances,
        typer.Option(
            help="How objects are found: watershed parts cells that touch, components "
            "takes connected areas."
        ),
    ] = PredictConfig.instances,
    diameter: Diameter = None,
    min_size: MinSize = PredictConfig.min_size,
    flips: Flips = PredictConfig.flips,
    json: Annotated[
        bool,
        typer.Option(
            "--json", metavar="", help="Print one line of JSON for each image."
        ),
    ] = False,
) -> None:
    """Segment images: classes become NAME_semantic.tif, objects NAME_instances.tif."""
    console = error_console()
    failures = Failures(console)
    done = 0
    given = images
    fresh = False
    try:
        with user_errors():
            config = PredictConfig(
                device=device,
                tile=tile,
                channels=parse_channels(channel),
                instances=instances,
                diameter=parse_diameter(diameter),
                min_size=min_size,
                flips=flips,
            )
            from napari_unet.cli.listing import images_of
            from napari_unet.cli.outputs import plan_outputs
            from napari_unet.images import open_image
            from napari_unet.inference.prepare import prepare
            from napari_unet.models import load_model
            from napari_unet.nets.allocator import kept_memory
            from napari_unet.nets.choice import choose_device

            given = images_of(images)
            jobs, refused = plan_outputs(given, out)
            chosen, _ = choose_device(config.device)
            unet = load_model(model)
            prepared = prepare(unet.net, chosen, flips=config.flips)
            with progress_bar(console) as bar, interrupted() as stop, kept_memory():
                fresh = _make_folder(out)
                for error in refused:
                    failures.add(error)
                for number, job in enumerate(jobs, 1):
                    label = f"{job.image.name} ({number}/{len(jobs)})"
                    with failures.of(job.image):
                        image = open_image(job.image, axes)
                        report = _predict(
                            job, image, unet, prepared, config, bar, label, stop
                        )
                        done += 1
                        print(
                            jsons.dumps(asdict(report)) if json else report, flush=True
                        )
    except KeyboardInterrupt:
        say(console, f"Stopped. Images done: {done} of {len(given)}.")
        raise typer.Exit(STOPPED) from None
    finally:
        if fresh and not done:
            with suppress(OSError):
                out.rmdir()
    if failures.count:
        raise typer.Exit(BAD_INPUT)


def _predict(
    job: "Job",
    image: "Image",
    model: "Model",
    prepared: "PreparedNet",
    config: PredictConfig,
    bar: "Progress",
    label: str,
    stop: "Event",
) -> Report:
    from napari_unet.images import write_all_labels
    from napari_unet.inference import Planned, Predicted, TileDone, Warned
    from napari_unet.inference import predict as predict_image

    for note in image.notes:
        say(bar.console, f"{job.image}: {note}", "yellow")
    task = bar.add_task(label, total=1)
    try:
        for event in predict_image(model, image, config=config, prepared=prepared):
            if stop.is_set():
                raise KeyboardInterrupt
            match event:
                case Planned():
                    bar.update(task, total=event.tiles)
                case TileDone():
                    bar.update(task, completed=event.done, total=event.total)
                case Warned():
                    say(bar.console, f"{job.image}: {event.text}", "yellow")
                case Predicted():
                    predicted = event
    finally:
        bar.remove_task(task)
    results: dict[Path, np.ndarray] = {job.semantic: predicted.labels.semantic}
    if predicted.labels.instances is not None:
        results[job.instances] = predicted.labels.instances
    write_all_labels(results, image.stack_axes + "YX")
    if job.instances not in results and job.instances.exists():
        # Somebody may have corrected it by hand.
        say(
            bar.console,
            f"{job.image}: '{job.instances}' is of an earlier prediction and does not "
            "belong to the new classes. Remove it, or leave --instances out.",
            "yellow",
        )
    return Report(
        image=str(job.image),
        shape=list(image.data.shape),
        axes=image.axes,
        objects=predicted.objects if job.instances in results else None,
        seconds=round(predicted.seconds, 4),
        megapixels_per_second=round(predicted.megapixels_per_second, 4),
        device=predicted.device,
        tile=predicted.tile,
        semantic=str(job.semantic),
        instances=str(job.instances) if job.instances in results else None,
    )


def _make_folder(out: Path) -> bool:
    """Make a folder, and tell whether it was not there."""
    from napari_unet.images.whole import try_writing

    try:
        fresh = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        # Said before long work is done for it.
        try_writing(out)
    except OSError as error:
        raise UnetError(
            f"The folder '{out}' cannot be made or written to: {error.strerror}. "
            "Choose another --out folder."
        ) from error
    return fresh
