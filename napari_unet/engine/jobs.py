"""What the engine does for each kind of request.

To add a kind: a dataclass in `messages`, a generator here, a line in `JOBS`. Those of
live training are in `live` and `preview`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.engine.live import LIVE_JOBS
from napari_unet.engine.messages import (
    Describe,
    Described,
    FeatureMaps,
    Predict,
    WarmUp,
)
from napari_unet.engine.preview import PREVIEW_JOBS

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_unet.engine.scheduler import Jobs
    from napari_unet.engine.state import State


def describe(request: Describe, state: State) -> Generator[object, None, None]:
    """Say what is computed on."""
    from napari_unet.nets.choice import choose_device

    device, notes = choose_device(request.device)
    yield Described(device.label, notes)


def warm_up(request: WarmUp, state: State) -> Generator[object, None, None]:
    """Do once what the first prediction would have to wait for."""
    from napari_unet.nets.choice import choose_device

    choose_device(request.config.device)
    state.model(request.model)
    yield from ()


def predict(request: Predict, state: State) -> Generator[object, None, None]:
    """Predict all planes of the request's pixels into its two arrays."""
    from napari_unet.images import Image
    from napari_unet.inference import Labels, Predicted
    from napari_unet.inference import predict as predict_image
    from napari_unet.inference.prepare import prepare
    from napari_unet.nets.choice import choose_device

    config, model = request.config, state.model(request.model)
    device, _ = choose_device(config.device)
    prepared = state.prepared(
        f"{request.model}, from four sides" if config.flips else request.model,
        (model, device),
        lambda: prepare(model.net, device, flips=config.flips),
    )
    image = Image(request.pixels.open("r"), request.axes, request.name, request.rgb)
    instances = None if request.instances is None else request.instances.open()
    for event in predict_image(
        model,
        image,
        intensity=request.intensity,
        config=config,
        out=Labels(request.semantic.open(), instances),
        prepared=prepared,
    ):
        if isinstance(event, Predicted):
            # The arrays are shared; in a message they would be copied.
            event = replace(event, labels=None)  # type: ignore[arg-type]
        yield event


def show_features(request: FeatureMaps, state: State) -> Generator[object, None, None]:
    """Write the maps of one step of a net into the request's array."""
    from napari_unet.inference.features import feature_maps
    from napari_unet.models.blueprint import blueprint_of

    pixels = request.pixels.open("r")
    model = state.model(request.model)
    layout = blueprint_of(model.spec, *pixels.shape[1:])
    request.maps.open()[...] = feature_maps(
        model, np.array(pixels), layout, request.place
    )
    yield from ()


JOBS: Jobs = {
    **LIVE_JOBS,
    **PREVIEW_JOBS,
    Describe: describe,
    WarmUp: warm_up,
    Predict: predict,
    FeatureMaps: show_features,
}
