"""Labels that exist already are taken in as scribbles or as objects."""

import numpy as np
import pytest

from napari_unet.annotation import Annotation, take_in_objects, take_in_scribbles
from napari_unet.errors import AnnotationError
from napari_unet.images import Region

MASK = np.array([[0, 1, 2], [2, 2, 0]])


def test_scribbles_leave_what_they_do_not_label():
    a = Annotation((2, 3))
    a.write_scribbles(Region(1, 0, 2, 3), 3)
    take_in_scribbles(a, MASK.astype(np.int16), 3)
    assert a.scribbles.dense().tolist() == [[0, 1, 2], [2, 2, 3]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, ">u2"])
def test_in_another_tools_mask_zero_is_background(dtype):
    a = Annotation((2, 3))
    take_in_scribbles(a, MASK.astype(dtype), 3, zero="background")
    assert a.classes(Region(0, 0, 2, 3)).tolist() == MASK.tolist()


def test_a_mask_of_the_second_class_alone_stays_of_the_second_class():
    a = Annotation((2, 3))
    take_in_scribbles(a, np.where(MASK, 2, 0), 3, zero="background")
    np.testing.assert_array_equal(a.scribbles.dense(), np.where(MASK, 3, 1))


@pytest.mark.parametrize("mask", [MASK > 0, (MASK > 0).astype(np.uint8) * 255])
def test_a_mask_of_two_values_is_background_and_the_first_class(mask):
    a = Annotation((2, 3))
    take_in_scribbles(a, mask, 2, zero="background")
    assert a.classes(Region(0, 0, 2, 3)).tolist() == (MASK > 0).tolist()


@pytest.mark.parametrize(
    ("labels", "zero", "says"),
    [
        (MASK.astype(float), "unlabelled", "float64"),
        (MASK[:, :2], "unlabelled", "2 x 2 and the image 2 x 3"),
        (np.stack([MASK] * 2), "background", "2 x 2 x 3"),
        (MASK + 1, "unlabelled", "hold 1, 2, 3, but with 2 classes"),
        (MASK, "background", "may hold 0 to 1"),
        (MASK - 1, "background", "hold -1, 1"),
        (np.arange(6).reshape(2, 3) * 40, "background", r"40, 80, 120, 160, 200,"),
    ],
)
def test_scribbles_that_do_not_fit_say_why_and_change_nothing(labels, zero, says):
    a = Annotation((2, 3))
    with pytest.raises(AnnotationError, match=says):
        take_in_scribbles(a, labels, 2, zero=zero)
    assert a.version == 0


@pytest.mark.parametrize(("shape", "axes"), [((2, 3), "YX"), ((1, 2, 3), "ZYX")])
def test_axes_of_size_one_may_be_missing_or_surplus(shape, axes):
    for labels in (MASK, MASK[None], MASK[None, None]):
        a = Annotation(shape, axes)
        take_in_objects(a, labels)
        np.testing.assert_array_equal(a.objects.dense(), MASK.reshape(shape))


def test_objects_join_those_that_are_there():
    a = Annotation((2, 3))
    a.write_objects(Region(0, 0, 1, 1), 4)
    take_in_objects(a, MASK.astype(np.uint64))
    assert a.objects.dense().tolist() == [[4, 5, 6], [6, 6, 0]]
    assert a.labelled() == []


def test_objects_do_not_inherit_the_class_of_an_erased_one():
    a = Annotation((2, 3))
    a.write_objects(Region(0, 0, 1, 1), 2)
    a.set_object_classes({2: 3})
    a.write_objects(Region(0, 0, 1, 1), 0)
    take_in_objects(a, MASK, complete=True)
    assert a.counts(4).tolist() == [2, 4, 0, 0]
    # Undo brings it back as it was.
    a.write_objects(Region(0, 0, 1, 1), 2)
    assert a.counts(4).tolist() == [1, 4, 0, 1]


def test_objects_never_join_one_that_is_there_already():
    a = Annotation((2, 3))
    a.write_objects(Region(0, 0, 1, 2), np.array([[2**31, 2**32 - 1]]))
    with pytest.raises(AnnotationError, match="Relabel them"):
        take_in_objects(a, MASK << 30)
    assert a.ids() == {2**31, 2**32 - 1}
    # Few find room below.
    take_in_objects(a, MASK * [[0, 0, 1], [1, 1, 1]])
    assert a.ids() == {2**31, 2**32 - 1, 2}


def test_complete_objects_make_the_whole_stack_verified():
    a = Annotation((2, 2, 3), "ZYX")
    take_in_objects(a, np.stack([MASK, MASK * 0]), complete=True)
    assert a.verified.dense().all()
    assert a.counts(2).tolist() == [8, 4]


def test_each_part_of_a_bool_mask_is_an_object():
    mask = np.zeros((2, 4, 9), bool)
    mask[0, :, 1], mask[0, 2, 5:], mask[1, 0] = True, True, True
    a = Annotation((2, 4, 9), "TYX")
    assert take_in_objects(a, mask)
    assert a.ids() == {1, 2, 3}
    np.testing.assert_array_equal(a.objects.dense() > 0, mask)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (MASK / 2, "float64"),
        (MASK.T, "3 x 2 and the image 2 x 3"),
        (MASK - 1, "-1 to 1"),
        (MASK << 40, "can be kept"),
        (MASK * (2**31 - 1), "no room"),
    ],
)
def test_objects_that_do_not_fit_say_why_and_change_nothing(labels, says):
    a = Annotation((2, 3))
    a.write_objects(Region(0, 0, 1, 1), 5)
    version = a.version
    with pytest.raises(AnnotationError, match=says):
        take_in_objects(a, labels)
    assert a.version == version
