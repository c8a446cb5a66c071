"""Planes of an image to the engine, and their labels back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.engine.messages import Predict
from napari_unet.gui.results import narrow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_unet.engine.arrays import SharedArray
    from napari_unet.engine.client import Engine
    from napari_unet.images import Image
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


@dataclass(frozen=True)
class PlaneLabels:
    """The labels of one plane, ``(Y, X)`` each, in memory of their own.

    Attributes
    ----------
    plane : dict
    semantic : ndarray, uint8
    instances : ndarray, uint16 or uint32, or None
        As `gui.results.narrow` returns them; None where no objects were looked for.
    """

    plane: dict[str, int]
    semantic: NDArray[np.uint8]
    instances: NDArray[np.unsignedinteger] | None


class _GivenUp(Exception):
    """Nobody waits for the prediction any more."""


def predict_planes(
    engine: Engine, job: Job, sent: Callable[[int], bool]
) -> Iterator[Any]:
    """Let the engine predict, and yield its events.

    Before each `PlaneDone` comes the `PlaneLabels` of the same plane, and before a
    `VolumeDone` those of its planes. It reads pixels
    and waits, so it belongs in a worker.

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
    from napari_unet.inference import PlaneDone, VolumeDone

    image, spec = job.image, job.spec
    channels = choose_channels(image, spec.channels, job.config.channels)

    def check() -> None:
        if not sent(0):
            raise _GivenUp

    try:
        intensity = spec.normalisation.measure(image, channels, check)
    except _GivenUp:
        return
    stack = image.stack_shape if len(job.planes) > 1 else ()
    read = tuple(dict.fromkeys(channels))
    arrays: list[SharedArray] = []
    try:
        pixels = _new(
            arrays, engine, (*stack, len(read), *image.plane_shape), image.dtype
        )
        for plane in job.planes:
            if not sent(0):
                return
            # None is held on to: Windows does not remove a file that is mapped.
            pixels.open()[_index(plane, stack)] = image.read(image.whole(plane), read)
        labels = (*stack, *image.plane_shape)
        semantic = _new(arrays, engine, labels, np.uint8)
        instances = None
        if job.config.instances != "none":
            instances = _new(arrays, engine, labels, np.uint32)
        request = Predict(
            pixels=pixels,
            axes=(image.stack_axes if stack else "") + "CYX",
            rgb=image.rgb and len(read) > 1,
            name=image.name,
            intensity=intensity,
            model=job.model,
            config=replace(job.config, channels=()),
            semantic=semantic,
            instances=instances,
        )
        if not sent(request.id):
            return
        for event in engine.request(request):
            planes: Sequence[Mapping[str, int]] = ()
            if isinstance(event, PlaneDone):
                planes = (event.plane or job.planes[0],)
            elif isinstance(event, VolumeDone):
                planes = event.planes
            for done in planes:
                at = _index(done, stack)
                yield PlaneLabels(
                    dict(done),
                    semantic.open("r")[at].copy(),
                    narrow(instances.open("r")[at]) if instances else None,
                )
            yield event
    finally:
        for array in arrays:
            array.remove()


def _new(
    arrays: list[SharedArray], engine: Engine, shape: tuple[int, ...], dtype: Any
) -> SharedArray:
    arrays.append(engine.array(shape, np.dtype(dtype).newbyteorder("=")))
    return arrays[-1]


def _index(plane: Mapping[str, int], stack: tuple[int, ...]) -> tuple[int, ...]:
    """Return where `plane` is in what was sent: the whole stack, or it alone."""
    return tuple(plane.values()) if stack else ()
