"""Objects of another size than those a model was trained on."""

from dataclasses import replace

import numpy as np
import pytest
from threshold_model import threshold_model

from napari_unet.errors import ModelError, UnetError
from napari_unet.images import image_from_array
from napari_unet.inference import (
    Cancelled,
    PredictConfig,
    Predicted,
    TileDone,
    Warned,
    predict,
)
from napari_unet.inference.config import parse_diameter
from napari_unet.models import Model


def disks(radius, shape=(150, 170)):
    pixels = np.zeros(shape, np.uint8)
    y, x = np.indices(shape)
    for cy in (30, 75, 120):
        for cx in (35, 85, 135):
            pixels[np.hypot(y - cy, x - cx) < radius] = 200
    return pixels


def model(diameter=20.0):
    plain = threshold_model()
    spec = plain.spec.model_copy(update={"diameter": diameter})
    return Model(spec, plain.net)


def run(pixels, diameter, which=None, tile=32, **more):
    config = PredictConfig(device="cpu", diameter=diameter, tile=tile, **more)
    image = image_from_array(pixels, "YX" if pixels.ndim == 2 else "ZYX")
    return list(predict(which or model(), image, config=config))


@pytest.mark.parametrize("diameter", [None, 5.0, 10.0, 40.0])
def test_the_result_has_the_size_of_the_image(diameter):
    pixels = disks(15)
    *_, done = run(pixels, diameter)
    assert done.labels.semantic.shape == pixels.shape
    assert done.objects == 9
    wrong = (done.labels.semantic > 0) != (pixels > 0)
    assert wrong.mean() < 0.02
    np.testing.assert_array_equal(done.labels.instances > 0, done.labels.semantic > 0)


def test_smaller_objects_are_seen_larger():
    tiles = {d: run(disks(15), d)[0].tiles for d in (10.0, 20.0, 40.0)}
    assert tiles[10.0] > 3 * tiles[20.0]
    assert tiles[20.0] > 3 * tiles[40.0]


@pytest.mark.parametrize("diameter", [10.0, 33.0])
def test_tiles_are_told_where_they_lie_in_the_image(diameter):
    pixels = disks(15)
    seen = np.zeros(pixels.shape, bool)
    for event in run(pixels, diameter):
        if isinstance(event, TileDone):
            seen[event.region.slices] = True
    assert seen.all()


def test_auto_measures_first():
    pixels = disks(20)
    told = run(pixels, "auto")
    *_, expected = run(pixels, 40.0)
    assert isinstance(told[-1], Predicted)
    np.testing.assert_array_equal(told[-1].labels.instances, expected.labels.instances)


def test_auto_of_an_empty_image_says_so_and_goes_on():
    events = run(np.zeros((50, 60), np.uint8), "auto")
    assert any(isinstance(e, Warned) and "Too few" in e.text for e in events)
    assert isinstance(events[-1], Predicted)


def test_cancelling_the_first_look_ends_it_without_a_word():
    asked = []
    events = predict(
        model(),
        image_from_array(disks(20), "YX"),
        config=PredictConfig(device="cpu", diameter="auto"),
        cancel=lambda: asked.append(None) or True,
    )
    assert list(events) == [Cancelled()]
    assert len(asked) == 1


def test_auto_looks_at_the_middle_of_a_stack():
    stack = np.stack([np.zeros((150, 170), np.uint8), disks(20), disks(8)])
    *_, done = run(stack, "auto")
    *_, expected = run(stack, 40.0)
    np.testing.assert_array_equal(done.labels.semantic, expected.labels.semantic)


@pytest.mark.parametrize("diameter", [12.0, "auto"])
def test_a_model_that_knows_no_size_says_so(diameter):
    with pytest.raises(ModelError, match="does not know how large"):
        run(disks(15), diameter, model(None))


@pytest.mark.parametrize(
    ("text", "value"), [(None, None), ("", None), (" AUTO ", "auto"), ("12.5", 12.5)]
)
def test_what_users_write(text, value):
    assert parse_diameter(text) == value


@pytest.mark.parametrize("text", ["big", "0", "-3", "nan", "1e9"])
def test_nonsense_is_said(text):
    with pytest.raises(UnetError, match="diameter"):
        replace(PredictConfig(), diameter=parse_diameter(text))
