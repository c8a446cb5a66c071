"""A net learns from verified objects where touching ones meet."""

import numpy as np
import pytest
import torch

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.images import image_from_array, measure_intensity
from napari_unet.inference import PredictConfig, Predicted, predict
from napari_unet.metrics import match
from napari_unet.models import ModelSpec, UNetArchitecture, build
from napari_unet.nets.choice import choose_device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    train,
)

SPEC = ModelSpec(
    name="tiny",
    classes=ClassScheme.named("cell"),
    architecture=UNetArchitecture(depth=2, width=8, max_width=16),
)


def pairs(seed, side=128):
    """Return an image of bright squares in touching pairs, and the objects."""
    random = np.random.default_rng(seed)
    objects = np.zeros((side, side), np.uint32)
    pixels = np.full(objects.shape, 20.0)
    number = 0
    for y in range(6, side - 24, 24):
        for x in range(4, side - 32, 34):
            for left, grey in ((x, 90), (x + 14, 150)):
                number += 1
                part = np.s_[y : y + 14, left : left + 14]
                objects[part], pixels[part] = number, grey
    pixels += random.normal(0, 8, pixels.shape)
    return image_from_array(pixels.astype(np.float32), "YX"), objects


@pytest.fixture(scope="module", params=["adamw", "muon"])
def learner(request):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    config = TrainConfig(
        steps=150,
        batch=4,
        crop=64,
        optimiser=request.param,
        learning_rate=2e-3,
        validate_every=1000,
        device="cpu",
    )
    yield Learner(build(SPEC), choose_device("cpu")[0], config)
    torch.set_num_threads(threads)


def test_touching_objects_come_apart_after_training(learner, tmp_path):
    assert learner.model().spec.valley is None
    data = TrainingSet(learner.spec)
    for seed in range(3):
        image, objects = pairs(seed)
        annotation = Annotation.of(image)
        annotation.write_objects(image.whole(), objects)
        annotation.verify(image.whole())
        intensity = measure_intensity(image, (0,))
        data.add(TrainingImage(str(seed), image, (0,), intensity, annotation))
    for _ in train(learner, data, Checkpoints(tmp_path)):
        pass
    model = learner.model()
    assert model.spec.valley is not None

    image, truth = pairs(9)
    found = {}
    for way in ("watershed", "components"):
        config = PredictConfig(device="cpu", instances=way)
        *_, done = predict(model, image, config=config)
        assert isinstance(done, Predicted)
        found[way] = match(truth, done.labels.instances, 0.7)
    n = int(truth.max())
    assert found["components"].hits < 0.3 * n
    assert found["watershed"].hits > 0.8 * n


def test_strokes_alone_teach_no_boundaries(tmp_path):
    config = TrainConfig(steps=2, batch=1, crop=32, device="cpu")
    learner = Learner(build(SPEC), choose_device("cpu")[0], config)
    image, objects = pairs(0)
    annotation = Annotation.of(image)
    annotation.write_scribbles(image.whole(), (objects > 0).astype(np.uint8) + 1)
    data = TrainingSet(SPEC)
    intensity = measure_intensity(image, (0,))
    data.add(TrainingImage("a", image, (0,), intensity, annotation))
    for _ in train(learner, data, Checkpoints(tmp_path)):
        pass
    assert learner.model().spec.valley is None
