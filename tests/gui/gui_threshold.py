"""The tiny model of the window's tests."""

from pathlib import Path

import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import ModelSpec, UNetArchitecture, build, save_model


def saved_threshold_model(folder: Path, channels: int = 1) -> Path:
    """A model whose class "cell" is where the first channel is brighter than 0.5."""
    spec = ModelSpec(
        name="threshold",
        description="Bright blobs on a dark ground.",
        architecture=UNetArchitecture(
            depth=1, width=2, max_width=2, norm="none", boundary=False
        ),
        channels=channels,
        classes=ClassScheme.named("cell"),
    )
    model = build(spec)
    with torch.no_grad():
        for parameter in model.net.parameters():
            parameter.zero_()
        for block in (model.net.down[0], model.net.up[0]):
            for i in (0, 3):
                block[i].weight[0, 0, 1, 1] = 1
        model.net.classify.weight[1, 0] = 1
        model.net.classify.bias[0] = 0.5
    save_model(model, folder)
    return folder
