"""Patches from clicks: the classifier, and the dense map that it becomes."""

import numpy as np
import pytest
import torch

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.images import Region, image_from_array, measure_intensity
from napari_unet.inference import PredictConfig, predict
from napari_unet.models import ModelSpec, PatchArchitecture, adapt, build
from napari_unet.nets import PatchClassifier, is_fully_convolutional
from napari_unet.nets.device import Device
from napari_unet.nets.patches import AROUND, PATCH, STRIDE
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    train,
)

SPEC = ModelSpec(
    name="patches",
    classes=ClassScheme.named("stripes"),
    architecture=PatchArchitecture(width=8, hidden=32),
)


def test_each_coarse_pixel_is_the_classifier_on_its_patch():
    torch.manual_seed(0)
    net = PatchClassifier(2, 3, width=4, hidden=8).eval().double()
    assert not is_fully_convolutional(net.classifier)
    picture = torch.rand(1, 2, 64, 48).double()
    with torch.no_grad():
        out = net(picture)
        assert out.shape == (1, 3, 64, 48)
        # Four pixels around the middle of each 8 x 8 have the mean of its score.
        middles = out.unfold(2, STRIDE, STRIDE).unfold(3, STRIDE, STRIDE)
        found = middles[..., 3:5, 3:5].mean((-1, -2))
        for i in range(2, 6):
            for j in range(2, 4):
                y, x = i * STRIDE - AROUND, j * STRIDE - AROUND
                patch = picture[..., y : y + PATCH, x : x + PATCH]
                scores = net.classifier(patch)
                near = found[:, :, i, j] - scores
                # Interpolated from a sixteenth of a pixel away.
                spread = out.amax() - out.amin()
                assert near.abs().max() < 0.2 * spread


@pytest.mark.parametrize("size", [(1, 1), (7, 40), (33, 65)])
def test_every_size_goes_through(size):
    net = PatchClassifier(1, 2, width=2, hidden=4).eval()
    with torch.no_grad():
        before = net(torch.zeros(1, 1, *size))
        net.make_lean()
        torch.testing.assert_close(net(torch.zeros(1, 1, *size)), before)
    assert before.shape == (1, 2, *size)


def test_clicks_teach_it_textures(tmp_path):
    torch.manual_seed(0)
    side = 192
    random = np.random.default_rng(0)
    stripes = (np.arange(side) // 3 % 2)[None].repeat(side, 0).astype(np.float32)
    noise = (random.random((side, side)) > 0.5).astype(np.float32)
    truth = np.zeros((side, side), bool)
    truth[:, 96:] = True
    pixels = np.where(truth, stripes, noise)
    image = image_from_array(pixels, "YX")
    annotation = Annotation.of(image)
    for y, x in random.integers(20, side - 20, (24, 2)):
        # One click: a single pixel.
        here = Region(int(y), int(x), int(y) + 1, int(x) + 1)
        value = 2 if truth[y, x] else 1
        annotation.write_scribbles(here, np.full((1, 1), value, np.uint8))
    data = TrainingSet(SPEC)
    intensity = measure_intensity(image, (0,))
    data.add(TrainingImage("textures", image, (0,), intensity, annotation))
    config = TrainConfig(steps=80, batch=8, crop=64, learning_rate=2e-3)
    learner = Learner(build(SPEC), Device("cpu"), config)
    list(train(learner, data, Checkpoints(tmp_path)))
    model = learner.model()
    *_, predicted = predict(model, image, config=PredictConfig(device="cpu"))
    found = predicted.labels.semantic > 0
    away = np.abs(np.arange(side) - 96) > 20
    assert (found == truth)[:, away].mean() > 0.9


def test_classes_that_stay_keep_their_scores():
    base = build(SPEC)
    classes = ClassScheme.named("new", "stripes")
    new = adapt(base, classes=classes, channels=1, name="more")
    picture = torch.rand(1, 1, 40, 40)
    with torch.no_grad():
        before, after = base.net.eval()(picture), new.net.eval()(picture)
    torch.testing.assert_close(after[:, [0, 2]], before)
