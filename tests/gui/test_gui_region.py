"""A region of a prediction is drawn into its layer without drawing all of it."""

import numpy as np
import pytest
from gui_wait import settled

from napari_unet.annotation import ClassScheme
from napari_unet.gui.image.target import MARK
from napari_unet.images import Region

REGION = Region(10, 20, 40, 60)


@pytest.fixture
def write(viewer, widget):
    """Write objects of a region into the result layers; return the layer."""

    def write_(image, values, plane=()):
        target = widget.session.target(image)
        results = widget.session.results_of(image)
        region = Region(10, 20, 40, 60, dict(plane))
        classes = widget.session.annotations.scheme
        there = np.zeros(region.shape) if values is None else values
        semantic = (there > 0).astype(np.uint8)
        results.show_region(viewer, target, region, semantic, values, classes)
        return viewer.layers[f"{image.name} instances"]

    return write_


def objects(seed):
    return np.random.default_rng(seed).integers(0, 5, REGION.shape).astype(np.uint32)


def drawn_whole(viewer):
    """Whether what is on the canvas is what a refresh of all layers draws."""
    before = settled(lambda: viewer.screenshot(flash=False))
    for layer in viewer.layers:
        layer.refresh()
    return np.array_equal(before, settled(lambda: viewer.screenshot(flash=False)))


@pytest.mark.parametrize("contour", [0, 1])
def test_it_is_drawn_and_stays_the_plugins(viewer, write, blobs, contour):
    image = viewer.add_image(blobs, name="field")
    layer = write(image, objects(0))
    layer.contour = contour
    for seed in (1, 2):
        assert write(image, objects(seed)) is layer
        np.testing.assert_array_equal(layer.data[REGION.slices], objects(seed))
        assert drawn_whole(viewer)
    assert MARK in layer.metadata
    assert layer.data.sum() == objects(2).sum()
    layer.undo()
    np.testing.assert_array_equal(layer.data[REGION.slices], objects(2))


def test_without_objects_those_of_the_region_go(viewer, write, blobs):
    image = viewer.add_image(blobs, name="field")
    layer = write(image, objects(0))
    layer.data[0, 0] = 3
    write(image, None)
    assert layer.data[0, 0] == 3
    assert not layer.data[REGION.slices].any()


def test_with_several_kinds_of_object_the_classes_stand_out(
    viewer, widget, write, blobs
):
    image = viewer.add_image(blobs, name="field")
    objects_layer = write(image, objects(0))
    classes_layer = viewer.layers["field semantic"]

    def classes_stand_out():
        return classes_layer.opacity > 0.5 > objects_layer.opacity

    assert not classes_stand_out()
    widget.session.annotations.set_scheme(ClassScheme.named("nucleus", "dividing"))
    write(image, objects(1))
    assert classes_stand_out()
    # What the user sets stays.
    objects_layer.opacity = 0.7
    write(image, objects(2))
    assert objects_layer.opacity == 0.7
    widget.session.annotations.set_scheme(ClassScheme.named("nucleus"))
    write(image, objects(0))
    assert not classes_stand_out()


def test_a_small_change_alone_is_drawn(viewer, write, blobs):
    few = objects(0)
    few[5, 5:8] = 9
    layer = write(viewer.add_image(blobs, name="field"), objects(0))
    # napari draws all of a layer at first.
    assert drawn_whole(viewer)
    drawn = []
    layer.events.set_data.connect(drawn.append)
    write(viewer.layers["field"], few)
    assert not drawn
    assert drawn_whole(viewer)
    drawn.clear()
    # So many changes take longer one by one.
    write(viewer.layers["field"], objects(1))
    assert len(drawn) == 1
    assert drawn_whole(viewer)


def test_what_napari_colours_first_is_never_drawn_whole(viewer, write, blobs):
    layer = write(viewer.add_image(blobs, name="field"), objects(0) * 70_000)
    assert layer.data.itemsize == 4
    assert drawn_whole(viewer)
    drawn = []
    layer.events.set_data.connect(drawn.append)
    write(viewer.layers["field"], objects(1))
    assert not drawn
    assert drawn_whole(viewer)


def test_it_is_seen_in_a_slice_that_is_turned_to_later(viewer, write, blobs):
    image = viewer.add_image(np.stack([blobs] * 6), name="field")
    viewer.dims.set_current_step(0, 2)
    layer = write(image, objects(0), {"Z": 2})
    write(image, objects(1), {"Z": 4})
    assert drawn_whole(viewer)
    viewer.dims.set_current_step(0, 4)
    assert drawn_whole(viewer)
    np.testing.assert_array_equal(layer.data[4][REGION.slices], objects(1))


def test_it_is_seen_in_a_layer_that_was_hidden(viewer, write, blobs):
    image = viewer.add_image(blobs, name="field")
    layer = write(image, objects(0))
    layer.visible = False
    write(image, objects(1))
    layer.visible = True
    assert drawn_whole(viewer)


def test_it_is_seen_at_every_channel(viewer, write, blobs):
    # Slices of two channels: the labels of a slice stand for both.
    image = viewer.add_image(np.stack([[blobs, blobs]] * 6), name="field")
    write(image, objects(0), {"Z": 3})
    viewer.dims.set_current_step(1, 1)
    viewer.dims.set_current_step(0, 3)
    write(image, objects(1), {"Z": 3})
    assert drawn_whole(viewer)
