"""The prediction of an image for the window, a volume or some frames at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_unet.errors import too_large
from napari_unet.gui.predict.exchange import Exchange
from napari_unet.inference.volumes import volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from napari_unet.engine.client import Engine
    from napari_unet.images import Image
    from napari_unet.inference import PredictConfig, Warned
    from napari_unet.models import ModelSpec

# Pixels of the frames that are with the engine at a time, if one alone has no more.
# After each request the engine gives its memory back, which is a quarter of the time
# that it takes for a small frame.
_AT_ONCE = 4_000_000


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
    """Let the engine predict part by part, and yield its events as if of all.

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

    def check() -> None:
        if not sent(0):
            raise _GivenUp

    image, spec = job.image, job.spec
    channels = choose_channels(image, spec.channels, job.config.channels)
    read = tuple(dict.fromkeys(channels))
    with_objects = job.config.instances != "none"
    follow = _Follow(job)
    try:
        intensity = spec.normalisation.measure(image, channels, check)
        for part in _parts(job):
            exchange = Exchange(engine, image, read, part, with_objects)
            try:
                exchange.fill(check)
                request = exchange.request(intensity, job.model, follow.config)
                if not sent(request.id):
                    return
                yield from follow.events(engine.request(request), exchange, part)
            finally:
                exchange.remove()
            check()
    except _GivenUp:
        return
    except MemoryError as error:
        raise too_large(image.name) from error


def _parts(job: Job) -> list[list[dict[str, int]]]:
    """Return which planes are with the engine at a time: a volume, or some frames."""
    parts = volumes(job.planes)
    first = []
    if job.config.diameter == "auto":
        # How large objects are is found in the middle, and for all.
        first = [parts.pop(len(parts) // 2)]
    if all(len(part) == 1 for part in parts):
        many = max(1, _AT_ONCE // math.prod(job.image.plane_shape))
        frames = [plane for part in parts for plane in part]
        parts = [frames[i : i + many] for i in range(0, len(frames), many)]
    return [*first, *parts]


class _Follow:
    """Makes the events of parts those of all planes of a job.

    Attributes
    ----------
    config : PredictConfig
        Of the next part: how large objects are is known after the first one.
    """

    def __init__(self, job: Job) -> None:
        self.config = replace(job.config, channels=())
        self._total = len(job.planes)
        # Of the parts that are done.
        self._planes = self._objects = 0
        self._warned: set[Warned] = set()

    def events(
        self,
        events: Iterable[Any],
        exchange: Exchange,
        part: Sequence[Mapping[str, int]],
    ) -> Iterator[Any]:
        """Yield the events of the next part, with its labels."""
        from napari_unet.inference import (
            PlaneDone,
            Planned,
            Predicted,
            TileDone,
            VolumeDone,
            Warned,
        )

        def of_all(tiles: int) -> int:
            return tiles * self._total // len(part)

        for event in events:
            match event:
                case Planned():
                    if not self._planes:
                        yield replace(event, tiles=of_all(event.tiles))
                case TileDone():
                    before = event.total * self._planes // len(part)
                    done, total = before + event.done, of_all(event.total)
                    yield replace(event, done=done, total=total)
                case PlaneDone():
                    at = event.plane[exchange.axis]
                    yield exchange.labels(at, self._objects)
                    yield replace(event, plane=part[at])
                case VolumeDone():
                    for at in range(len(part)):
                        yield exchange.labels(at, self._objects)
                    yield replace(event, planes=tuple(part))
                case Predicted():
                    self._planes += len(part)
                    self._objects += event.objects
                    self.config = replace(self.config, diameter=event.diameter)
                    if self._planes == self._total:
                        yield replace(event, objects=self._objects)
                case Warned():
                    if event not in self._warned:
                        self._warned.add(event)
                        yield event
                case _:
                    yield event
