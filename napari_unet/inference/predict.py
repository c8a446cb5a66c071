"""Predict classes and objects of an image, plane by plane and tile by tile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.images import choose_channels, measure_intensity
from napari_unet.inference.config import PredictConfig
from napari_unet.inference.events import (
    Cancelled,
    Labels,
    PlaneDone,
    Planned,
    Predicted,
    Warned,
)
from napari_unet.inference.memory import choose_tile
from napari_unet.inference.queue import TileQueue
from napari_unet.inference.tiles import Source
from napari_unet.instances import label_components

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from napari_unet.images import Image, IntensityRange
    from napari_unet.inference.events import PredictEvent
    from napari_unet.models import Model

DEFAULT = PredictConfig()


def predict(
    model: Model,
    image: Image,
    *,
    planes: Iterable[Mapping[str, int]] | None = None,
    intensity: IntensityRange | None = None,
    config: PredictConfig = DEFAULT,
    cancel: Callable[[], bool] = lambda: False,
    out: Labels | None = None,
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
        Asked before each tile and each plane's objects; True ends with `Cancelled`.
    out : Labels, optional
        Arrays to write into, of the shape of the stack and Y, X; new ones, zero where
        no plane is predicted, by default.

    Yields
    ------
    PredictEvent
        `Planned`, a `TileDone` for each tile, a `PlaneDone` for each plane, last
        `Predicted` or `Cancelled`; in between `Warned`.

    Raises
    ------
    ImageError
        If the image does not suit the model or cannot be read.
    DeviceError
        If there is no such device, or memory is too small for the smallest tile.
    """
    from napari_unet.inference.prepare import prepare
    from napari_unet.nets.allocator import kept_memory
    from napari_unet.nets.device import choose_device, free_memory

    begin = time.perf_counter()
    device, notes = choose_device(config.device)
    for note in notes:
        yield Warned(note)
    channels = choose_channels(image, model.spec.channels, config.channel)
    if intensity is None:
        norm = model.spec.normalisation
        intensity = measure_intensity(image, channels, norm.low, norm.high)
    prepared = prepare(model.net, device)
    tile, batch = choose_tile(prepared, free_memory(device), config.tile)
    wanted = [dict(plane) for plane in (image.planes() if planes is None else planes)]
    regions = [image.whole(plane) for plane in wanted]
    source = Source(image, channels, intensity)
    tiles = TileQueue(prepared, source, regions, tile, batch)
    labels = _labels(image, config, out)
    yield Planned(tiles.total, tile, batch, device.label, device.precision)

    objects = 0
    with kept_memory():
        for plane in wanted:
            at = tuple(plane[axis] for axis in image.stack_axes)
            while tiles.next_plane == plane:
                if cancel():
                    yield Cancelled()
                    return
                yield from tiles.advance(labels.semantic[at])
            if cancel():
                yield Cancelled()
                return
            found = 0
            if labels.instances is not None:
                numbers = label_components(
                    labels.semantic[at],
                    min_size=config.min_size,
                    fill_holes=config.fill_holes,
                )
                found = int(numbers.max())
                np.add(numbers, objects, out=numbers, where=numbers > 0)
                labels.instances[at] = numbers
            objects += found
            yield PlaneDone(plane, found)

    seconds = time.perf_counter() - begin
    pixels = len(wanted) * image.plane_shape[0] * image.plane_shape[1]
    speed = pixels / seconds / 1e6
    yield Predicted(labels, objects, seconds, speed, device.label, tiles.tile)


def _labels(image: Image, config: PredictConfig, out: Labels | None) -> Labels:
    """Return the arrays to write into; without instances where none are asked for."""
    if out is None:
        shape = (*image.stack_shape, *image.plane_shape)
        out = Labels(np.zeros(shape, np.uint8), np.zeros(shape, np.uint32))
    return out if config.instances != "none" else Labels(out.semantic, None)
