"""The prediction of an image for the window, volume by volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_unet.errors import too_large
from napari_unet.gui.predict.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari_unet.engine.client import Engine
    from napari_unet.images import Image, IntensityRange
    from napari_unet.inference import PredictConfig
    from napari_unet.models import ModelSpec


@dataclass(frozen=True)
class Job:
    """What to predict.

    Attributes
    ----------
    image : Image
    planes : list of dict
        One plane of it, or all.
    model : str
        A base model's name or a folder.
    spec : ModelSpec
        Its description.
    config : PredictConfig
        With the channels to look at.
    """

    image: Image
    planes: list[dict[str, int]]
    model: str
    spec: ModelSpec
    config: PredictConfig


class _GivenUp(Exception):
    """Nobody waits for the prediction any more."""


def predict_planes(
    engine: Engine, job: Job, sent: Callable[[int], bool]
) -> Iterator[Any]:
    """Let the engine predict volume by volume, and yield its events as if of all.

    Before each `PlaneDone` comes the `PlaneLabels` of the same plane, and before a
    `VolumeDone` those of its planes. It reads pixels and waits, so it belongs in a
    worker.

    Parameters
    ----------
    engine : Engine
        Started if it does not run.
    job : Job
        What to predict.
    sent : callable
        Called with the request's id, or 0 before there is one. False gives up.

    Raises
    ------
    UnetError
        If the image does not suit the model, or the engine fails.
    """
    from napari_unet.images import choose_channels
    from napari_unet.inference.volumes import volumes

    def check() -> None:
        if not sent(0):
            raise _GivenUp

    image, spec = job.image, job.spec
    channels = choose_channels(image, spec.channels, job.config.channels)
    parts = volumes(job.planes)
    if job.config.diameter == "auto":
        # How large objects are is found in the middle, and for all.
        parts.insert(0, parts.pop(len(parts) // 2))
    try:
        intensity = spec.normalisation.measure(image, channels, check)
        read = tuple(dict.fromkeys(channels))
        with_objects = job.config.instances != "none"
        exchange = Exchange(engine, image, read, len(parts[0]), with_objects)
        try:
            yield from _predicted(exchange, job, parts, intensity, check, sent)
        finally:
            exchange.remove()
    except _GivenUp:
        return
    except MemoryError as error:
        raise too_large(image.name) from error


def _predicted(
    exchange: Exchange,
    job: Job,
    parts: Sequence[Sequence[Mapping[str, int]]],
    intensity: IntensityRange,
    check: Callable[[], None],
    sent: Callable[[int], bool],
) -> Iterator[Any]:
    """Predict volumes one after the other, and count over all of them."""
    from napari_unet.inference import (
        PlaneDone,
        Planned,
        Predicted,
        TileDone,
        VolumeDone,
        Warned,
    )

    config = replace(job.config, channels=())
    objects = 0
    warned: set[Warned] = set()
    for number, part in enumerate(parts):
        exchange.fill(part, check)
        request = exchange.request(intensity, job.model, config)
        if not sent(request.id):
            raise _GivenUp
        for event in exchange.engine.request(request):
            match event:
                case Planned():
                    if number == 0:
                        yield replace(event, tiles=event.tiles * len(parts))
                case TileDone():
                    done = number * event.total + event.done
                    yield replace(event, done=done, total=event.total * len(parts))
                case PlaneDone():
                    at = event.plane.get("Z", 0)
                    yield exchange.labels(part, at, objects)
                    yield replace(event, plane=part[at])
                case VolumeDone():
                    for at in range(len(part)):
                        yield exchange.labels(part, at, objects)
                    yield replace(event, planes=tuple(part))
                case Predicted():
                    objects += event.objects
                    config = replace(config, diameter=event.diameter)
                    if number == len(parts) - 1:
                        yield replace(event, objects=objects)
                case Warned() if event in warned:
                    pass
                case _:
                    if isinstance(event, Warned):
                        warned.add(event)
                    yield event
        check()
