"""Training and predicting on a GPU, as far as a pretended one can tell."""

import numpy as np
import pytest
import torch
from pretended_gpu import NAME, PretendedGPU

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.images import image_from_array, measure_intensity
from napari_unet.inference.prepare import prepare
from napari_unet.models import (
    FCNArchitecture,
    ModelSpec,
    PatchArchitecture,
    UNetArchitecture,
    build,
)
from napari_unet.nets.device import Device
from napari_unet.training import (
    Checkpoints,
    Learner,
    Stepped,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    Validated,
    train,
)

# It has no autocast, as MPS had none at first.
GPU = Device(NAME, "bf16", channels_last=True, label="pretended")
UNET = UNetArchitecture(depth=2, width=8, max_width=16)
NETS = [
    UNET,
    UNET.model_copy(update={"norm": "layer"}),
    UNET.model_copy(update={"norm": "none", "padding": "valid", "dropout": 0.1}),
    FCNArchitecture(width=8, max_width=16, hidden=16),
    PatchArchitecture(width=4, hidden=8),
]


def spec_of(net):
    return ModelSpec(
        name="squares",
        classes=ClassScheme.named("square"),
        architecture=net,
        provenance={"base": "squares", "base_classes": "background, square"},
    )


def squares(spec, side=128):
    truth = np.zeros((side, side), np.uint32)
    truth[8:56, 8:56], truth[8:56, 72:120], truth[72:120, 40:88] = 1, 2, 3
    image = image_from_array((truth > 0).astype(np.float32), "YX")
    annotation = Annotation.of(image)
    annotation.write_objects(image.whole(), truth)
    annotation.verify(image.whole())
    parts = np.full(truth.shape, TRAINING, np.uint8)
    parts[64:] = HELD_OUT
    annotation.assign(image.whole(), parts)
    intensity = measure_intensity(image, (0,))
    data = TrainingSet(spec, decided=True)
    data.add(TrainingImage("squares", image, (0,), intensity, annotation))
    return data


@pytest.fixture
def gpu():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with PretendedGPU() as gpu:
        yield gpu
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("net", "optimiser"), [*((net, "adamw") for net in NETS), (UNET, "muon")], ids=str
)
def test_all_that_meets_is_on_one_device(net, optimiser, gpu, tmp_path):
    spec = spec_of(net)
    config = TrainConfig(
        steps=2, batch=2, crop=64, validate_every=2, optimiser=optimiser
    )
    learner = Learner(build(spec), GPU, config)
    events = list(train(learner, squares(spec), Checkpoints(tmp_path)))
    assert sum(isinstance(event, Stepped) for event in events) == 2
    assert any(isinstance(event, Validated) for event in events)
    learner.roll_back()
    assert next(learner.net.parameters()).device.type == NAME
    assert next(learner.model().net.parameters()).device.type == "cpu"

    side = 64 + 2 * learner.net.margin
    tile = np.random.default_rng(0).random((1, side, side), np.float32)
    device = Device(NAME, "fp32", channels_last=True)
    for flips in (False, True):
        found = prepare(learner.average, device, flips=flips)
        on_cpu = prepare(learner.model().net, Device("cpu"), flips=flips)
        likely, height = found.probabilities([tile])
        expected, expected_height = on_cpu.probabilities([tile])
        np.testing.assert_allclose(likely, expected, atol=1e-4)
        if height is not None:
            np.testing.assert_allclose(height, expected_height, atol=1)
        assert found.maps([tile, tile])[0].shape == (2, 64, 64)


@pytest.mark.parametrize("net", [UNET, PatchArchitecture(width=4, hidden=8)], ids=str)
def test_a_step_waits_for_few_values(net, gpu):
    spec = spec_of(net)
    data = squares(spec)
    learner = Learner(build(spec), GPU, TrainConfig(batch=8, crop=64))
    crops, _ = data.draw(8, 64)
    counts = data.counts
    learner.step(crops, counts)
    gpu.waits.clear()
    assert learner.step(crops, counts) is not None
    # Where there are labels and boundaries, the errors, the loss and the gradient.
    assert len(gpu.waits) <= 5, gpu.waits
