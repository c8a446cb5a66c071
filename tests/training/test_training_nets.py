"""Every net that a model may have learns, and predicts as it learnt."""

import numpy as np
import pytest
import torch
from probabilities import predict_proba

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.images import Region, image_from_array, measure_intensity
from napari_unet.inference.prepare import prepare
from napari_unet.inference.tiles import Source
from napari_unet.models import FCNArchitecture, ModelSpec, UNetArchitecture, build
from napari_unet.nets.device import Device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    Validated,
    train,
)

NETS = [
    UNetArchitecture(
        depth=2, width=8, padding="valid", norm="none", boundary=False, dropout=0.1
    ),
    UNetArchitecture(depth=2, width=8, max_width=16),
    FCNArchitecture(width=8, max_width=16, hidden=16, stride=8),
]


def discs(side=192):
    y, x = np.mgrid[:side, :side]
    truth = np.zeros((side, side), np.uint32)
    centres = [(cy, cx) for cy in range(32, side, 64) for cx in range(32, side, 64)]
    for i, (cy, cx) in enumerate(centres, start=1):
        truth[(y - cy) ** 2 + (x - cx) ** 2 < 18**2] = i
    noise = np.random.default_rng(0).normal(0, 0.1, truth.shape)
    return truth, ((truth > 0) + noise).astype(np.float32)


@pytest.mark.parametrize("architecture", NETS, ids=str)
def test_a_net_learns_discs(architecture, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    truth, pixels = discs()
    spec = ModelSpec(
        name="discs", classes=ClassScheme.named("disc"), architecture=architecture
    )
    data = TrainingSet(spec)
    image = image_from_array(pixels, "YX")
    annotation = Annotation.of(image)
    annotation.write_objects(image.whole(), truth)
    annotation.verify(image.whole())
    parts = np.full(truth.shape, TRAINING, np.uint8)
    parts[:, 128:] = HELD_OUT
    annotation.assign(image.whole(), parts)
    intensity = measure_intensity(image, (0,))
    data.add(TrainingImage("discs", image, (0,), intensity, annotation))
    config = TrainConfig(
        steps=60, batch=4, crop=64, learning_rate=3e-3, validate_every=20
    )
    learner = Learner(build(spec), Device("cpu"), config)
    events = list(train(learner, data, Checkpoints(tmp_path)))
    scores = [e.score for e in events if isinstance(e, Validated)]
    assert scores[-1] > 0.8

    net = prepare(learner.average, Device("cpu"))
    source = Source(image, (0,), intensity)
    found = predict_proba(net, source, Region(0, 128, 192, 192)).argmax(0)
    wrong = (found != (truth[:, 128:] > 0)).mean()
    assert wrong < 0.15
    torch.set_num_threads(before)


@pytest.mark.parametrize("architecture", NETS, ids=str)
def test_padded_nets_are_shown_the_crop_alone(architecture):
    spec = ModelSpec(
        name="x", classes=ClassScheme.named("disc"), architecture=architecture
    )
    net = build(spec).net
    unpadded = getattr(architecture, "padding", "same") == "valid"
    assert net.context == (net.margin if unpadded else 0)
