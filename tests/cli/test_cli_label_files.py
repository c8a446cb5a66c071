"""Masks and strokes, taken in for a training."""

import numpy as np
import pytest
import tifffile

from napari_unet.annotation import Annotation
from napari_unet.cli.label_files import take_mask, take_strokes
from napari_unet.errors import TrainingError
from napari_unet.images import image_from_array

IMAGE = image_from_array(np.zeros((40, 30), np.uint8), "YX")


@pytest.fixture
def taken(tmp_path):
    """Return the classes that a file gives."""

    def taken(values, take=take_mask, **options):
        labels = np.zeros((40, 30), np.uint16)
        for row, value in enumerate(values):
            labels[row] = value
        path = tmp_path / "labels.tif"
        tifffile.imwrite(path, labels)
        annotation = Annotation.of(IMAGE)
        take(annotation, IMAGE, path, **options)
        return annotation.classes(IMAGE.whole())

    return taken


def test_a_mask_of_classes_labels_every_pixel(taken):
    classes = taken([1, 2], objects=False, n_classes=3)
    assert (classes[:2] == [[1], [2]]).all()
    assert (classes[2:] == 0).all()


def test_the_only_class_of_a_mask_stays_what_it_is(taken):
    assert (taken([2], objects=False, n_classes=3)[0] == 2).all()


def test_in_a_mask_of_black_and_white_white_is_the_only_class(taken):
    classes = taken([255], objects=False, n_classes=2)
    assert (classes[0] == 1).all()
    assert (classes[1:] == 0).all()


@pytest.mark.parametrize("value", [3, 255, 65_535])
def test_a_class_that_is_not_named_is_said(taken, value):
    with pytest.raises(TrainingError, match=f"labels.tif' has a class {value}"):
        taken([1, value], objects=False, n_classes=3)
    with pytest.raises(TrainingError, match="value"):
        taken([1, min(value + 1, 65_535)], take_strokes, n_classes=3)


def test_objects_are_complete(taken):
    classes = taken([300, 7], objects=True, n_classes=2)
    assert (classes[:2] == 1).all()
    assert (classes[2:] == 0).all()


def test_strokes_leave_the_rest_unknown(taken):
    classes = taken([2, 1], take_strokes, n_classes=2)
    assert (classes[:2] == [[1], [0]]).all()
    assert (classes[2:] == -1).all()
