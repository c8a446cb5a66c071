"""The labels of one image: what is written, counted, changed and kept apart."""

import subprocess
import sys

import numpy as np
import pytest

from napari_unet.annotation import Annotation, remove_class
from napari_unet.annotation.labels import next_id
from napari_unet.errors import AnnotationError
from napari_unet.images import Region, image_from_array

WHOLE = Region(0, 0, 300, 400)


@pytest.fixture
def annotation():
    """Two strokes, and a verified corner with an object of class 1 and one of 2."""
    a = Annotation((300, 400))
    a.write_scribbles(Region(200, 10, 205, 60), 1)
    a.write_scribbles(Region(200, 300, 204, 350), 3)
    a.write_objects(Region(10, 10, 20, 20), 7)
    a.write_objects(Region(30, 30, 35, 35), 9)
    a.set_object_classes({9: 2})
    a.verify(Region(0, 0, 50, 50))
    return a


def test_an_annotation_has_the_shape_of_its_image_without_channels():
    image = image_from_array(np.zeros((2, 3, 20, 30), np.uint8), axes="ZCYX")
    a = Annotation.of(image)
    assert (a.shape, a.axes) == ((2, 20, 30), "ZYX")
    a.write_scribbles(Region(0, 0, 5, 5, {"Z": 1}), 2)
    assert a.labelled() == [Region(0, 0, 20, 30, {"Z": 1})]


def test_scribbles_win_over_objects_and_verified_background(annotation):
    annotation.write_scribbles(Region(12, 12, 14, 14), 1)
    annotation.write_scribbles(Region(40, 40, 41, 41), 3)
    classes = annotation.classes(WHOLE)
    assert classes[10, 10] == 1
    assert classes[13, 13] == 0
    assert classes[31, 31] == 2
    assert classes[40, 40] == 2
    assert classes[45, 45] == 0
    assert classes[100, 100] == -1


def test_counts_follow_every_change(annotation):
    assert annotation.counts(3).tolist() == [2500 - 125 + 250, 100, 25 + 200]
    annotation.write_scribbles(Region(200, 10, 205, 60), 2)
    assert annotation.counts(3).tolist() == [2500 - 125, 100 + 250, 25 + 200]
    annotation.set_object_classes({9: 1})
    assert annotation.counts(3).tolist() == [2500 - 125, 125 + 250, 200]
    annotation.verify(WHOLE, False)
    assert annotation.counts(3).tolist() == [0, 250, 200]


def test_what_changed_is_known_by_block(annotation):
    version = annotation.version
    assert annotation.changed_since(version) == []
    annotation.write_scribbles(Region(250, 250, 260, 260), 1)
    changed = annotation.changed_since(version)
    assert len(changed) == 4
    assert annotation.version > version
    for region in changed:
        assert region.intersect(Region(250, 250, 260, 260))


def test_a_snapshot_stays_and_can_be_painted_by_itself(annotation):
    before = annotation.classes(WHOLE)
    snapshot = annotation.snapshot()
    annotation.write_scribbles(WHOLE, 2)
    annotation.set_object_classes({7: 2})
    np.testing.assert_array_equal(snapshot.classes(WHOLE), before)
    assert snapshot.counts(3).sum() == (before >= 0).sum()
    snapshot.verify(WHOLE)
    assert not annotation.verified.read(WHOLE).all()


def test_a_new_id_is_free_where_the_largest_is_taken(annotation):
    largest = np.iinfo(np.uint32).max
    annotation.write_objects(Region(0, 0, 1, 1), largest)
    new = next_id(annotation.ids())
    assert 9 < new < largest
    annotation.write_objects(Region(1, 1, 2, 2), new)
    assert next_id(annotation.ids()) not in annotation.ids()


def test_labels_that_cannot_be_kept_say_why(annotation):
    before = annotation.classes(WHOLE)
    with pytest.raises(AnnotationError, match="float64"):
        annotation.write_scribbles(Region(0, 0, 2, 2), np.ones((2, 2)))
    with pytest.raises(AnnotationError, match="-1 to 3"):
        annotation.write_objects(Region(0, 0, 1, 2), np.array([[-1, 3]]))
    with pytest.raises(AnnotationError, match="0 to 255"):
        annotation.write_scribbles(Region(0, 0, 1, 2), np.array([[256, 3]]))
    np.testing.assert_array_equal(annotation.classes(WHOLE), before)


def test_an_object_is_no_background(annotation):
    with pytest.raises(ValueError, match="class 0"):
        annotation.set_object_classes({7: 0})


class TestRemovingAClass:
    def test_its_pixels_are_no_longer_labelled(self, annotation):
        remove_class(annotation, 1)
        classes = annotation.classes(WHOLE)
        assert classes[10, 10] == -1
        assert not annotation.verified.read(Region(10, 10, 20, 20)).any()
        assert annotation.ids() == {9}
        # Class 2 is class 1 now, in scribbles and objects.
        assert classes[31, 31] == 1
        assert classes[202, 310] == 1
        assert annotation.counts(3).tolist() == [2500 - 125 + 250, 25 + 200, 0]

    def test_another_class_can_take_them_over(self, annotation):
        remove_class(annotation, 1, into=2)
        assert annotation.ids() == {7, 9}
        assert annotation.counts(3).tolist() == [2500 - 125 + 250, 125 + 200, 0]

    def test_a_later_class_goes_into_an_earlier_one(self, annotation):
        remove_class(annotation, 2, into=1)
        assert annotation.counts(3).tolist() == [2500 - 125 + 250, 125 + 200, 0]

    def test_into_background_keeps_the_region_verified(self, annotation):
        remove_class(annotation, 2, into=0)
        assert annotation.verified.read(Region(0, 0, 50, 50)).all()
        assert annotation.counts(3).tolist() == [2500 - 100 + 250 + 200, 100, 0]

    def test_background_stays(self, annotation):
        with pytest.raises(ValueError, match="cannot be removed"):
            remove_class(annotation, 0)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, napari_unet.annotation; "
        "print({'torch', 'scipy', 'skimage', 'cc3d', 'dask', 'zarr', 'tifffile'} "
        "& {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(p or "." for p in sys.path)},
    )
    assert done.stdout.strip() == "set()"


def test_a_follower_has_the_labels_and_decides_for_itself(annotation):
    follower = annotation.snapshot()
    follower.assign(Region(200, 10, 205, 60), np.full((5, 50), 2, np.uint8))
    assert follower.counts(3).tolist() == annotation.counts(3).tolist()
    version = follower.version
    follower.follow(annotation.snapshot())
    assert follower.version == version

    annotation.write_scribbles(Region(250, 300, 260, 310), 3)
    annotation.set_object_classes({7: 2, 9: 1})
    follower.follow(annotation.snapshot())
    np.testing.assert_array_equal(follower.classes(WHOLE), annotation.classes(WHOLE))
    assert follower.counts(3).tolist() == annotation.counts(3).tolist()
    assert follower.object_classes == annotation.object_classes
    assert follower.changed_since(version) == [
        Region(0, 0, 256, 256),
        Region(0, 256, 256, 400),
        Region(256, 256, 300, 400),
    ]
    assert follower.held_out(WHOLE).sum() == 250
    assert not annotation.held_out(WHOLE).any()


def test_what_is_held_out_is_taken_over_and_labels_stay(annotation):
    other = annotation.snapshot()
    other.assign(Region(200, 10, 205, 60), np.full((5, 50), 2, np.uint8))
    annotation.write_scribbles(Region(250, 300, 260, 310), 3)
    annotation.take_undecided()
    before = annotation.classes(WHOLE)
    annotation.follow_split(other.split.snapshot())
    np.testing.assert_array_equal(annotation.classes(WHOLE), before)
    assert annotation.held_out(WHOLE).sum() == 250
    assert annotation.tally()[0, 2] == 250
    assert not annotation.take_undecided()
    annotation.split.write(Region(0, 0, 1, 1), 1)
    assert not other.split.read(Region(0, 0, 1, 1)).any()
