"""What is kept of an image is offered again, however the image comes back."""

import os
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from gui_annotate import FIRST, annotate, on_disk, open_again, same
from napari.layers._source import layer_source

from napari_unet.gui.session import session_of
from napari_unet.images import Region


@pytest.fixture
def next_session(make_napari_viewer, engine, tmp_path):
    """Open an array, or a file, in a viewer of the next day; return the panel."""

    def open_(image):
        return open_again(
            make_napari_viewer(show=True), image, engine, tmp_path
        ).annotate_panel

    return open_


@pytest.fixture
def stack(blobs):
    """Six slices."""
    return np.stack([np.roll(blobs, i, 0) for i in range(6)])


def continued(panel, qtbot):
    """Press Continue once it is offered; return the scribbles."""
    qtbot.wait_until(panel.kept_line.isVisible)
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: panel.image is not None)
    return panel.image.scribbles


def open_from(viewer, path, pixels):
    """Show pixels as a reader does that got them from some place."""
    with layer_source(path=path):
        return viewer.add_image(pixels, name="field")


def kept_with_a_stroke(viewer, panel, store, qtbot):
    """Paint on the slice on screen until it is kept; return the scribbles."""
    annotate(panel, qtbot)
    image = panel.image
    layer = image.scribbles
    layer.paint((viewer.dims.current_step[0], 10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    return layer


def test_an_image_opened_again_gets_the_strokes_that_stayed(
    viewer, panel, annotations, store, painted, qtbot, blobs
):
    image, layer = painted
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    key = image.key
    viewer.layers.remove("field")
    layer.paint((40, 40), FIRST)
    again = viewer.add_image(blobs.copy(), name="again")
    qtbot.wait_until(lambda: annotations.of(again) is image)
    assert panel.image is image
    assert layer.name == "again scribbles"
    annotate(panel, qtbot)
    layer.paint((50, 70), FIRST)
    qtbot.wait_until(lambda: same(image, layer))
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    assert image.key == key
    assert annotations.images == [image]


def test_strokes_lie_over_a_prediction_that_was_there_before_they_were_found(
    viewer, panel, annotations, painted, qtbot, blobs
):
    image, layer = painted
    viewer.layers.remove("field")
    again = viewer.add_image(blobs.copy(), name="again")
    other = viewer.add_points(name="mine")
    viewer.layers.move(viewer.layers.index(again), len(viewer.layers))
    target = replace(image.target, layer=again)
    semantic = target.new_layer(viewer, "semantic", np.uint8)
    assert viewer.layers[-1] is semantic
    viewer.layers.selection = {other}
    qtbot.wait_until(lambda: annotations.of(again) is image)
    assert list(viewer.layers) == [again, semantic, layer, other]
    assert viewer.layers.selection == {other}


def test_each_channel_of_a_file_gets_its_own_labels(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path, next_session
):
    path = tmp_path / "two.tif"
    tifffile.imwrite(path, np.stack([blobs, blobs[::-1]]), metadata={"axes": "CYX"})
    layers = viewer.open(path, plugin="napari", channel_axis=0)
    strokes = {}
    for layer, at in zip(reversed(layers), ((10, 15), (40, 40)), strict=True):
        viewer.layers.selection.active = layer
        annotate(panel, qtbot)
        image = panel.image
        image.scribbles.paint(at, FIRST)
        strokes[int(layer.data[0, 0]), int(layer.data[5, 10])] = image.scribbles
        qtbot.wait_until(lambda image=image: on_disk(store, image, image.scribbles))

    other = next_session(None)
    opened = other._images._viewer.open(path, plugin="napari", channel_axis=0)
    for layer in opened:
        other._images._viewer.layers.selection.active = layer
        scribbles = continued(other, qtbot)
        before = strokes[int(layer.data[0, 0]), int(layer.data[5, 10])]
        np.testing.assert_array_equal(scribbles.data, before.data)


@pytest.mark.parametrize("changed", [False, True])
def test_labels_of_one_channel_are_not_offered_for_another(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path, next_session, changed
):
    path = tmp_path / "two.tif"
    tifffile.imwrite(path, np.stack([blobs, blobs[::-1]]), metadata={"axes": "CYX"})
    viewer.layers.selection.active = viewer.open(path, plugin="napari", channel_axis=0)[
        1
    ]
    image = annotate(panel, qtbot)
    image.scribbles.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, image.scribbles))
    if changed:
        # An OME-Zarr folder, for one, when something is put beside its pixels.
        os.utime(path)

    other = next_session(None)
    first, second = other._images._viewer.open(path, plugin="napari", channel_axis=0)
    layers = other._images._viewer.layers
    layers.selection.active = first
    new = annotate(other, qtbot)
    assert not new.scribbles.data.any()
    new.scribbles.paint((40, 40), FIRST)
    qtbot.wait_until(lambda: on_disk(store, new, new.scribbles))
    assert on_disk(store, image, image.scribbles)
    layers.selection.active = second
    found = continued(other, qtbot)
    np.testing.assert_array_equal(found.data > 0, image.scribbles.data > 0)


@pytest.mark.parametrize("path", ["https://example.org/field.tif", "gone/field.tif"])
def test_an_image_whose_file_is_not_there_has_its_labels_still(
    viewer, panel, annotations, store, qtbot, blobs, next_session, path
):
    image = open_from(viewer, path, blobs)
    annotated = annotate(panel, qtbot)
    assert annotated.target.layer is image
    annotated.scribbles.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, annotated, annotated.scribbles))
    other = next_session(None)
    open_from(other._images._viewer, path, blobs)
    found = continued(other, qtbot)
    np.testing.assert_array_equal(found.data, annotated.scribbles.data)


def test_a_file_with_other_pixels_has_its_labels_still(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path, next_session
):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, blobs)
    viewer.open(path, plugin="napari")
    annotate(panel, qtbot)
    image = panel.image
    layer = image.scribbles
    layer.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    tifffile.imwrite(path, blobs // 2)
    other = next_session(None)
    other._images._viewer.open(path, plugin="napari")
    found = continued(other, qtbot)
    np.testing.assert_array_equal(found.data, layer.data)
    found.paint((40, 40), FIRST)
    qtbot.wait_until(lambda: on_disk(store, other.image, found))
    again = next_session(None)
    again._images._viewer.open(path, plugin="napari")
    np.testing.assert_array_equal(continued(again, qtbot).data, found.data)


def test_an_image_whose_file_is_gone_is_labelled_as_any_other(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path
):
    """Neither is there a file behind an address on the web."""
    path = tmp_path / "field.tif"

    def open_and_lose():
        tifffile.imwrite(path, blobs)
        viewer.open(path, plugin="napari")
        path.unlink()

    open_and_lose()
    image = annotate(panel, qtbot)
    layer = image.scribbles
    layer.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    viewer.layers.clear()
    open_and_lose()
    np.testing.assert_array_equal(continued(panel, qtbot).data, layer.data)


@pytest.mark.parametrize("chosen", ["Channel 2", "All channels"])
def test_labels_stay_with_the_channel_they_were_painted_on(
    viewer, widget, panel, annotations, store, qtbot, stack, next_session, chosen
):
    many = stack[:4]
    viewer.add_image(many, name="many")
    image = annotate(panel, qtbot)
    # Nothing is painted yet.
    viewer.dims.set_current_step(0, 3)
    assert widget.image_panel.channels.seen == (3,)
    image.scribbles.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, image.scribbles))
    viewer.dims.set_current_step(0, 0)
    assert widget.image_panel.channels.seen == (3,)
    widget.image_panel.channels.box.setCurrentText(chosen)
    seen = widget.image_panel.channels.seen
    kept = seen or (0, 1, 2, 3)
    qtbot.wait_until(lambda: store.load(image.key)[0].channels == kept)

    other = next_session(many)
    assert other._images.channels.seen == (1,), "the one on screen"
    continued(other, qtbot)
    assert other._images.channels.box.currentText() == chosen
    assert other._images.channels.seen == seen
    session = session_of(other._images._viewer)
    assert session.channels.of(other._images.layer, other.image.target.image) == seen


def test_labels_are_found_whatever_the_sliders_are_called(
    viewer, panel, annotations, store, qtbot, stack, next_session
):
    viewer.add_image(stack, name="stack")
    viewer.dims.axis_labels = ("t", "y", "x")
    layer = kept_with_a_stroke(viewer, panel, store, qtbot)
    assert panel.image.annotation.axes == "TYX"
    other = next_session(stack)
    np.testing.assert_array_equal(continued(other, qtbot).data, layer.data)
    assert other.image.annotation.axes == "ZYX"


def test_labels_that_do_not_fit_do_so_once_the_slider_is_named(
    viewer, panel, annotations, store, qtbot, stack, next_session
):
    few = stack[:3]
    viewer.add_image(few, name="stack")
    viewer.dims.axis_labels = ("z", "y", "x")
    layer = kept_with_a_stroke(viewer, panel, store, qtbot)
    # It is taken for channels.
    other = next_session(few)
    qtbot.wait_until(other.kept_line.isVisible)
    other.kept_line.go_on.click()
    line = other.kept_line.text
    qtbot.wait_until(lambda: "Name the sliders as they were" in line.text())
    other._images._viewer.dims.axis_labels = ("z", "y", "x")
    np.testing.assert_array_equal(continued(other, qtbot).data, layer.data)


def test_the_axes_of_an_annotated_image_stay(
    viewer, widget, panel, annotations, store, qtbot, stack
):
    layer = viewer.add_image(stack, name="stack")
    annotate(panel, qtbot)
    image = panel.image
    viewer.dims.axis_labels = ("t", "y", "x")
    note = widget.image_panel.note
    assert "stay Z Y X" in note.text()
    assert note.isVisible()
    assert session_of(viewer).target(layer).image.axes == "ZYX"
    # Other pixels do not change them either.
    layer.data = stack[::-1].copy()
    assert image.target.image.data is layer.data
    viewer.dims.axis_labels = ("z", "y", "x")
    assert not note.isVisible()


def test_a_file_in_two_layers_is_labelled_in_one(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path, notified
):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, blobs)
    (first,) = viewer.open(path, plugin="napari")
    image = annotate(panel, qtbot)
    layer = image.scribbles
    layer.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    (second,) = viewer.open(path, plugin="napari")
    viewer.layers.selection.active = second
    panel.annotate.click()
    line = panel.kept_line
    qtbot.wait_until(line.isVisible)
    assert f"labelled in the layer '{first.name}'" in line.text.text()
    assert line.text.text() in notified[-1]
    assert not line.go_on.isVisible()
    assert annotations.images == [image]

    # Without the first layer its labels lie over the second.
    viewer.layers.remove(first)
    qtbot.wait_until(lambda: annotations.of(second) is image)
    assert not line.isVisible()


def test_a_file_in_two_layers_can_be_labelled_twice_and_nothing_is_lost(
    viewer, panel, annotations, store, qtbot, blobs, tmp_path, next_session
):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, blobs)
    images = []
    for at in ((10, 15), (40, 40)):
        (layer,) = viewer.open(path, plugin="napari")
        viewer.layers.selection.active = layer
        if images:
            qtbot.wait_until(panel.kept_line.isVisible)
            panel.kept_line.anew.click()
        else:
            annotate(panel, qtbot)
        image = panel.image
        image.scribbles.paint(at, FIRST)
        qtbot.wait_until(lambda image=image: on_disk(store, image, image.scribbles))
        images.append(image)
    assert images[0].key != images[1].key

    other = next_session(None)
    for image in images:
        (layer,) = other._images._viewer.open(path, plugin="napari")
        other._images._viewer.layers.selection.active = layer
        scribbles = continued(other, qtbot)
        np.testing.assert_array_equal(scribbles.data, image.scribbles.data)


def test_accepted_regions_lie_over_an_image_that_is_opened_again(
    viewer, widget, panel, annotations, painted, qtbot, blobs
):
    image, _ = painted
    image.accept(Region(5, 5, 30, 40))
    outlines = viewer.layers["field accepted"]
    viewer.layers.remove("field")
    again = viewer.add_image(blobs.copy(), name="again", scale=(2, 2), translate=(9, 0))
    qtbot.wait_until(lambda: annotations.of(again) is image)
    assert outlines.name == "again accepted"
    assert viewer.layers.index(again) == 0
    np.testing.assert_array_equal(outlines.scale, again.scale)
    np.testing.assert_array_equal(outlines.translate, again.translate)
    again.scale = (3, 3)
    np.testing.assert_array_equal(outlines.scale, again.scale)


def test_nothing_is_looked_up_for_a_viewer_that_closes(
    viewer, panel, annotations, qtbot, blobs, monkeypatch
):
    """A thread that begins while Qt goes takes Python down with it."""
    viewer.add_image(blobs.copy(), name="another")
    viewer.add_labels(np.zeros(blobs.shape, np.uint8))
    qtbot.wait_until(lambda: panel._kept is not None)
    looked = []
    monkeypatch.setattr(session_of(viewer).restoring, "look_up", looked.append)
    viewer.layers.clear()
    qtbot.wait_until(lambda: not panel._then_look.isActive())
    assert not looked


def test_the_outlines_of_accepted_regions_go_and_come_with_the_labels(
    viewer, panel, annotations, painted, qtbot, blobs
):
    image, layer = painted
    image.accept(Region(5, 5, 30, 40, {}))
    outlines = viewer.layers["field accepted"].data.copy()
    annotations.keeping.close()
    viewer.layers.selection = {viewer.layers["field"], layer}
    viewer.layers.remove_selected()
    qtbot.wait_until(lambda: not viewer.layers)
    viewer.add_image(blobs, name="again")
    continued(panel, qtbot)
    assert sorted(x.name for x in viewer.layers) == [
        "again",
        "again accepted",
        "again scribbles",
    ]
    np.testing.assert_array_equal(viewer.layers["again accepted"].data, outlines)
