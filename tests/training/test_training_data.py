"""What a training set makes of the labels of several images."""

import numpy as np
import pytest

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.images import Region, image_from_array, measure_intensity
from napari_unet.models import ModelSpec, UNetArchitecture
from napari_unet.training import TrainingImage, TrainingSet

SPEC = ModelSpec(
    name="tiny",
    classes=ClassScheme.named("cell"),
    architecture=UNetArchitecture(depth=1, width=4),
)


def empty(key, shape=(64, 64), axes="YX"):
    pixels = np.random.default_rng(0).random(shape).astype(np.float32)
    image = image_from_array(pixels, axes)
    intensity = measure_intensity(image, (0,))
    return TrainingImage(key, image, (0,), intensity, Annotation.of(image))


def scribble(image, y, value, rows=4):
    image.annotation.write_scribbles(Region(y, 0, y + rows, 64), value)


def labels_drawn(data):
    _, sites = data.draw(40, 16)
    return {(site.image, site.label) for site in sites}


def test_of_many_images_given_together_a_fifth_is_held_out():
    images = [empty(str(i)) for i in range(10)]
    for image in images:
        scribble(image, 0, 1)
        scribble(image, 32, 2)
    data = TrainingSet(SPEC)
    data.add(*images)
    tally = sum(image.annotation.tally() for image in images)
    assert (tally[:2, HELD_OUT] == 2 * 4 * 64).all()


def test_labels_that_are_freed_in_another_image_are_drawn():
    first, second = empty("first"), empty("second")
    for image in (first, second):
        scribble(image, 0, 1)
        scribble(image, 32, 2)
    data = TrainingSet(SPEC)
    data.add(first, second)
    whole = first.image.whole()
    cells = first.annotation.scribbles.read(whole) == 2
    for image, part in ((first, HELD_OUT), (second, TRAINING)):
        split = image.annotation.split.read(whole)
        image.annotation.assign(whole, np.where(cells, np.uint8(part), split))
        data.refresh(image.key)
    assert ("first", 1) not in labels_drawn(data)
    scribble(second, 32, 0)
    data.refresh("second")
    assert ("first", 1) in labels_drawn(data)


def test_an_object_of_a_stack_is_as_large_as_in_a_plane():
    stack = empty("stack", (5, 64, 64), "ZYX")
    for z in range(5):
        where = Region(10, 10, 20, 20, {"Z": z})
        stack.annotation.write_objects(where, 7)
        stack.annotation.verify(where)
    data = TrainingSet(SPEC)
    data.add(stack)
    assert data.diameter() == pytest.approx(2 * np.sqrt(100 / np.pi))


def classes_in_crops(images):
    data = TrainingSet(SPEC)
    data.add(*images)
    crops, _ = data.draw(24, 24)
    return [set(classes.unique().tolist()) - {-1} for classes in crops.classes]


def test_crops_of_strokes_are_mixed():
    ground, cells = empty("ground"), empty("cells")
    scribble(ground, 30, 1)
    scribble(cells, 30, 2)
    assert {0, 1} in classes_in_crops([ground, cells])


def test_crops_of_whole_objects_and_of_masks_of_classes_are_not_mixed():
    ground, cells = empty("ground"), empty("cells")
    cells.annotation.write_objects(cells.image.whole(), 1)
    for image in (ground, cells):
        image.annotation.verify(image.image.whole())
    assert {0, 1} not in classes_in_crops([ground, cells])

    ground, cells = empty("ground"), empty("cells")
    scribble(ground, 0, 1, rows=64)
    scribble(cells, 0, 2, rows=64)
    assert {0, 1} not in classes_in_crops([ground, cells])
