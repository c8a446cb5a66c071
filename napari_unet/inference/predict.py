"""Predict classes and objects of an image, plane by plane and tile by tile."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import choose_channels, rescale
from napari_unet.inference.canvas import Canvas
from napari_unet.inference.config import PredictConfig
from napari_unet.inference.events import (
    Cancelled,
    Labels,
    PlaneDone,
    Planned,
    Predicted,
    TileDone,
    VolumeDone,
    Warned,
)
from napari_unet.inference.memory import choose_tile
from napari_unet.inference.numbering import Numbering
from napari_unet.inference.objects import needs_height
from napari_unet.inference.queue import TileQueue
from napari_unet.inference.size import check_knows_size, scale_for, typical_diameter
from napari_unet.inference.tiles import Source
from napari_unet.inference.volumes import volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from napari_unet.images import Image, IntensityRange
    from napari_unet.inference.events import PredictEvent
    from napari_unet.inference.prepare import PreparedNet
    from napari_unet.models import Model

DEFAULT = PredictConfig()


class _Interrupted(Exception):
    """Whoever asked for the prediction wants it no more."""


def predict(
    model: Model,
    image: Image,
    *,
    planes: Iterable[Mapping[str, int]] | None = None,
    intensity: IntensityRange | None = None,
    config: PredictConfig = DEFAULT,
    cancel: Callable[[], bool] = lambda: False,
    out: Labels | None = None,
    prepared: PreparedNet | None = None,
) -> Iterator[PredictEvent]:
    """Find the classes and the objects in an image.

    Parameters
    ----------
    model : Model
        What to find, and its net; stays as it is.
    image : Image
        Read tile by tile; a 2-D image or a stack of planes.
    planes : iterable of mapping, optional
        The positions of the planes to predict; all by default.
    intensity : IntensityRange, optional
        One range for each channel of the model; measured on the whole image by
        default.
    config : PredictConfig
        How.
    cancel : callable
        Asked before each tile and before the objects of each plane and volume; True
        ends with `Cancelled`.
    out : Labels, optional
        Arrays to write into, of the shape of the stack and Y, X; new ones, zero where
        no plane is predicted, by default.
    prepared : PreparedNet, optional
        The model's net, made ready by `prepare` for the device and flips of `config`:
        once for many images, where it is not made anew for this one.

    Yields
    ------
    PredictEvent
        `Planned`, a `TileDone` for each tile, a `PlaneDone` for each plane, a
        `VolumeDone` after the last of several slices above each other, last
        `Predicted` or `Cancelled`; in between `Warned`.

    Raises
    ------
    ImageError
        If the image does not suit the model or cannot be read.
    ModelError
        If a diameter is given that the model has none to compare with.
    DeviceError
        If there is no such device, or memory is too small for the smallest tile.
    MemoryError
        If it is too small for the labels of the image.
    """

    def check() -> None:
        if cancel():
            raise _Interrupted

    try:
        yield from _predicted(
            model, image, planes, intensity, config, check, out, prepared
        )
    except _Interrupted:
        yield Cancelled()


def _predicted(
    model: Model,
    image: Image,
    planes: Iterable[Mapping[str, int]] | None,
    intensity: IntensityRange | None,
    config: PredictConfig,
    check: Callable[[], None],
    out: Labels | None,
    prepared: PreparedNet | None,
) -> Generator[PredictEvent, None, None]:
    """Predict, as `predict` does, until `check` raises."""
    from napari_unet.inference.prepare import prepare
    from napari_unet.nets.allocator import kept_memory
    from napari_unet.nets.choice import choose_device
    from napari_unet.nets.device import free_memory

    begin = time.perf_counter()
    device, notes = choose_device(config.device)
    yield from map(Warned, notes)
    channels = choose_channels(image, model.spec.channels, config.channels)
    # First: what is too large is known before anything is read.
    labels = _labels(image, config, out)
    if intensity is None:
        intensity = model.spec.normalisation.measure(image, channels)
    if prepared is None:
        prepared = prepare(model.net, device, flips=config.flips)
    tile, batch = choose_tile(prepared, free_memory(device), config.tile)
    parts = volumes(image.planes() if planes is None else planes)
    wanted = [plane for part in parts for plane in part]
    diameter = config.diameter
    if diameter == "auto":
        check_knows_size(model.spec)
        diameter = yield from _first_look(
            model, image, wanted, intensity, config, check, prepared
        )
    scale = scale_for(model.spec, diameter)
    seen = image if scale == 1 else rescale(image, scale)
    regions = [seen.whole(plane) for plane in wanted]
    source = Source(seen, channels, intensity)
    tiles = TileQueue(prepared, source, regions, tile, batch)
    yield Planned(tiles.total, tile, batch, device.label, device.precision)

    numbering = Numbering(labels, model.spec, config)
    with_height = needs_height(model.spec, config)
    with kept_memory():
        for part in parts:
            numbering.begin_volume()
            for plane in part:
                at = tuple(plane[axis] for axis in image.stack_axes)
                shape = seen.plane_shape
                canvas = Canvas(labels.semantic[at], shape, height=with_height)
                yield from _tiles(tiles, plane, canvas, check)
                yield PlaneDone(plane, numbering.add_plane(at, canvas.own_height()))
            if len(part) > 1 and labels.instances is not None:
                check()
                yield _joined(part, numbering)

    seconds = time.perf_counter() - begin
    pixels = len(wanted) * image.plane_shape[0] * image.plane_shape[1]
    speed = pixels / seconds / 1e6
    objects, tile = numbering.objects, tiles.tile
    yield Predicted(labels, objects, seconds, speed, device.label, tile, diameter)


def _tiles(
    tiles: TileQueue,
    plane: Mapping[str, int],
    canvas: Canvas,
    check: Callable[[], None],
) -> Iterator[PredictEvent]:
    """Predict the tiles of a plane."""
    while tiles.next_plane == plane:
        check()
        for event in tiles.advance(canvas.semantic, canvas.height):
            if isinstance(event, TileDone):
                event = replace(event, region=canvas.show(event.region))
            yield event
    check()


def _joined(part: list[dict[str, int]], numbering: Numbering) -> VolumeDone | Warned:
    """Give objects one number in all slices, if there is memory for it."""
    if numbering.fits():
        return VolumeDone(tuple(part), numbering.join())
    return Warned(
        "There is too little memory to follow objects from slice to slice. They are "
        "numbered in each slice."
    )


def _first_look(
    model: Model,
    image: Image,
    planes: list[dict[str, int]],
    intensity: IntensityRange,
    config: PredictConfig,
    check: Callable[[], None],
    prepared: PreparedNet,
) -> Generator[Warned, None, float | None]:
    """Return how large objects are that are found in the middle plane, unscaled."""
    once = replace(config, diameter=None, instances="watershed")
    middle = planes[len(planes) // 2 :][:1]
    size = None
    for event in _predicted(
        model, image, middle, intensity, once, check, None, prepared
    ):
        if isinstance(event, Predicted):
            assert event.labels.instances is not None
            at = tuple(middle[0][axis] for axis in image.stack_axes)
            size = typical_diameter(event.labels.instances[at])
    if size is None:
        yield Warned(
            "Too few objects were found to tell how large they are; the image is taken "
            "as it is. Give their diameter in pixels."
        )
    return size


def _labels(image: Image, config: PredictConfig, out: Labels | None) -> Labels:
    """Return the arrays to write into; without instances where none are asked for."""
    if out is None:
        shape = (*image.stack_shape, *image.plane_shape)
        out = Labels(np.zeros(shape, np.uint8), np.zeros(shape, np.uint32))
    return out if config.instances != "none" else Labels(out.semantic, None)
