"""Looking while training: what is on screen, and where the net is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.annotation import IGNORE
from napari_unet.engine.messages import (
    MostUncertain,
    Preview,
    Previewed,
    UncertainRegion,
)
from napari_unet.errors import DeviceError, ImageError, TrainingError, is_out_of_memory
from napari_unet.images import Region
from napari_unet.inference import TileDone
from napari_unet.inference.objects import find_objects, needs_height
from napari_unet.inference.tiles import Source, cut
from napari_unet.inference.uncertainty import uncertainty

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from napari_unet.annotation import Annotation
    from napari_unet.engine.arrays import SharedArray
    from napari_unet.engine.scheduler import Jobs
    from napari_unet.engine.state import State
    from napari_unet.inference.prepare import PreparedNet
    from napari_unet.models import ModelSpec
    from napari_unet.training import TrainingImage

# A view of 512 pixels is one tile, wherever it begins.
VIEW_TILE = 544
SEARCH_TILE = 256
MOST_SEARCHED = 64
# Labels make what is nearer than a cell, in pixels, certain.
CELL = 32


@dataclass(frozen=True)
class _Weights:
    """A net, its description and the steps of training behind it."""

    net: PreparedNet
    spec: ModelSpec
    step: int


def preview(request: Preview, state: State) -> Generator[object, None, None]:
    """Predict a region into the request's two arrays."""
    region, config = request.region, request.config
    state.session.look_at((request.key, region))
    state.session.share_cores()
    image = state.session.image(request.key)
    weights = _weights(request, state)
    at = image.annotation.scribbles.index(region)
    semantic = _part(request.semantic, region, at)
    tiles = list(_tiles(region, weights.net.multiple))
    hills_needed = needs_height(weights.spec, config)
    height = np.empty_like(semantic) if hills_needed else None
    for done, tile in enumerate(tiles, start=1):
        likely, hills = _likely(weights, image, tile)
        semantic[tile.within(region)] = likely.argmax(0)
        if height is not None and hills is not None:
            height[tile.within(region)] = hills
        if done < len(tiles):
            yield TileDone(tile, done, len(tiles))
    objects = 0
    if request.instances is not None and config.instances != "none":
        found = find_objects(semantic, height, weights.spec, config)
        _part(request.instances, region, at)[...] = found
        objects = int(found.max())
    yield Previewed(region, weights.step, objects)


def most_uncertain(
    request: MostUncertain, state: State
) -> Generator[object, None, None]:
    """Predict tiles of some images and name the one with the most doubt."""
    weights = _weights(request, state)
    images = state.session.images
    tiles = [
        (key, tile)
        for key, plane in request.planes
        for tile in cut(
            state.session.image(key).image.whole(plane),
            SEARCH_TILE,
            weights.net.multiple,
        )
    ]
    if len(tiles) > MOST_SEARCHED:
        # Another request looks at other tiles.
        chance = np.random.default_rng(request.id)
        chosen = chance.choice(len(tiles), MOST_SEARCHED, replace=False)
        tiles = [tiles[i] for i in sorted(chosen)]
    best: tuple[bool, float, UncertainRegion] | None = None
    for done, (key, tile) in enumerate(tiles, start=1):
        # An image that is removed meanwhile is passed over.
        if key in images:
            unknown = ~_near_labels(images[key].annotation, tile)
            if unknown.any():
                likely, _ = _likely(weights, images[key], tile)
                doubt = float((uncertainty(likely) * unknown).mean())
                new = (key, tile) not in request.shown
                if best is None or (new, doubt) > best[:2]:
                    best = new, doubt, UncertainRegion(key, tile, doubt)
        yield TileDone(tile, done, len(tiles))
    if best is None:
        raise TrainingError(
            "These images have labels everywhere already. Go on with another image."
        )
    yield best[-1]


def _weights(request: Preview | MostUncertain, state: State) -> _Weights:
    """Return what `messages.Preview` says of `checkpoint` and `model`."""
    from napari_unet.inference.prepare import prepare
    from napari_unet.nets.choice import choose_device
    from napari_unet.training import Checkpoints

    if request.checkpoint is None and request.model is None:
        learner = state.session.run.learner
        net = state.prepared(
            "training",
            (learner, learner.version),
            lambda: prepare(learner.average, learner.device),
        )
        return _Weights(net, learner.spec, learner.steps)
    name, step = str(request.model), 0
    if request.checkpoint is not None:
        name = request.checkpoint
        folder = Path(name).parent
        step = Checkpoints(folder).find(Path(name).name).step
    model = state.model(name)
    device, _ = choose_device(request.config.device)
    net = state.prepared(name, (model, device), lambda: prepare(model.net, device))
    return _Weights(net, model.spec, step)


def _likely(
    weights: _Weights, image: TrainingImage, tile: Region
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Return what `PreparedNet.probabilities` says of a tile."""
    image = image.for_net(weights.spec.channels)
    source = Source(image.image, image.channels, image.intensity)
    net = weights.net
    whole = _aligned(tile, net.multiple)
    try:
        pixels = source.read(whole, net.margin, net.multiple)
        likely, height = net.probabilities([pixels])
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"{net.device.label} has too little free memory for a preview. Close other "
            "programs, or choose another device."
        ) from None
    part = tile.within(whole)
    return likely[0][:, *part], None if height is None else height[0][part]


def _aligned(region: Region, multiple: int) -> Region:
    """Return the region, begun at multiples of so many pixels."""
    y0, x0 = region.y0 // multiple * multiple, region.x0 // multiple * multiple
    return Region(y0, x0, region.y1, region.x1, region.plane)


def _tiles(region: Region, multiple: int) -> Iterator[Region]:
    """Cut a region into parts, each of which is one pass of the net."""
    for tile in cut(_aligned(region, multiple), VIEW_TILE, multiple):
        part = tile.intersect(region)
        assert part is not None
        yield part


def _near_labels(annotation: Annotation, tile: Region) -> NDArray[np.bool_]:
    """Return which pixels, ``(Y, X)``, share a cell of the tile with a label."""
    height, width = tile.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    known = np.zeros((rows * CELL, columns * CELL), bool)
    known[:height, :width] = annotation.classes(tile) != IGNORE
    cells = known.reshape(rows, CELL, columns, CELL)
    cells[...] = cells.any(axis=(1, 3), keepdims=True)
    return known[:height, :width]


def _part(array: SharedArray, region: Region, at: tuple[Any, ...]) -> NDArray[Any]:
    """Return what to write a region into: an array of its shape, or a part of one."""
    opened = _open(array)
    return opened if opened.shape == region.shape else opened[at]


def _open(array: SharedArray) -> NDArray[Any]:
    try:
        return array.open()
    except FileNotFoundError:
        raise ImageError(
            "The layer that a preview was for has been removed meanwhile. Go on with "
            "another one."
        ) from None


PREVIEW_JOBS: Jobs = {Preview: preview, MostUncertain: most_uncertain}
