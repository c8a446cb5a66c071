"""Labels that the first versions kept, under other keys, are offered."""

import numpy as np
import pytest
import tifffile
from gui_annotate import FIRST, on_disk, open_again

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.key import former_key
from napari_unet.gui.annotate.kept import look_up
from napari_unet.images import Region, image_from_array

SCHEME = ClassScheme.named("cell")


@pytest.fixture
def kept(store):
    """Keep a stroke on an image as the first versions did; return it and its key."""

    def keep(image, path=None):
        annotation = Annotation.of(image)
        annotation.write_scribbles(Region(10, 15, 14, 25), FIRST)
        key = former_key(image, path)
        store.save(key, annotation, SCHEME)
        return annotation, key

    return keep


def test_strokes_of_a_former_version_go_on_and_stay(
    make_napari_viewer, engine, store, qtbot, blobs, tmp_path, kept
):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, blobs)
    annotation, key = kept(image_from_array(blobs), path)
    before = store.path(key).read_bytes()
    viewer = make_napari_viewer(show=True)
    panel = open_again(viewer, None, engine, tmp_path).annotate_panel
    viewer.open(path, plugin="napari")
    qtbot.wait_until(panel.kept_line.isVisible)
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: panel.image is not None)
    image = panel.image
    np.testing.assert_array_equal(image.scribbles.data, annotation.scribbles.dense())
    image.scribbles.paint((40, 40), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, image.scribbles))
    assert image.key != key
    assert store.path(key).read_bytes() == before


def test_they_are_offered_until_labels_are_kept_anew(store, blobs, tmp_path, kept):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, blobs)
    image, other = image_from_array(blobs), image_from_array(blobs[::-1])
    annotation, key = kept(image, path)
    found = look_up(store, image, str(path), {})
    assert (found.key, found.saved.scheme) == (key, SCHEME)
    store.save(found.new_key, annotation, SCHEME)
    assert look_up(store, image, str(path), {}).key == found.new_key
    # The first versions did not tell the channels of a file apart.
    assert look_up(store, other, str(path), {}).saved is None


def test_they_are_not_offered_for_a_copy_in_view(store, blobs, kept):
    image = image_from_array(blobs)
    _, key = kept(image)
    found = look_up(store, image, None, {})
    assert found.key == key
    assert look_up(store, image, None, {found.new_key: "first"}).saved is None
