"""The panel steers the image of the layer that is in hand."""

import numpy as np
import pytest
from gui_annotate import annotate
from gui_live import paint_both


@pytest.fixture
def two(viewer, widget, annotations, blobs):
    """Two images side by side, the first one in hand."""
    first = viewer.add_image(blobs, name="first")
    second = viewer.add_image(blobs[::-1].copy(), name="second", translate=(0, 100))
    viewer.layers.selection.active = first
    return first, second


def choose(widget, name):
    images = widget.image_panel.images
    images.setCurrentIndex(images.findText(name))


def test_a_result_that_is_shown_leaves_the_choice(viewer, widget, two, predict):
    _, second = two
    choose(widget, "second")
    predict()
    assert "second instances" in viewer.layers
    assert widget.image_panel.layer is second
    assert viewer.layers.selection.active is second


def test_what_is_drawn_or_predicted_on_an_image_chooses_it(
    viewer, widget, two, predict, qtbot
):
    for layer in two:
        viewer.layers.selection.active = layer
        predict()
        annotate(widget.annotate_panel, qtbot)
    for role in ("scribbles", "instances", "semantic"):
        for layer in two:
            viewer.layers.selection.active = viewer.layers[f"{layer.name} {role}"]
            assert widget.image_panel.layer is layer
            assert widget.annotate_panel.image.target.layer is layer
    viewer.add_labels(np.zeros((60, 80), int), name="of the user")
    assert widget.image_panel.layer is two[1]


def test_tools_work_on_the_image_whose_strokes_are_in_hand(viewer, widget, two, qtbot):
    objects = []
    for layer in two:
        viewer.layers.selection.active = layer
        with qtbot.wait_signal(widget.objects_panel._correction.shown):
            widget.objects_panel.correct.click()
        objects.append(viewer.layers[f"{layer.name} objects"])
    viewer.layers.selection.active = objects[0]
    widget.objects_panel.buttons["delete"].click()
    assert viewer.layers.selection.active is objects[0]


def test_the_preview_follows_the_strokes(viewer, user, scribbles, widget, blobs, qtbot):
    paint_both(scribbles)
    second = viewer.add_image(blobs, name="second", translate=(0, 100))
    viewer.reset_view()
    paint_both(annotate(widget.annotate_panel, qtbot).scribbles)
    user.start()
    user.wait(lambda: user.seen and user.seen[-1].view.target.layer is second)
    viewer.layers.selection.active = scribbles
    field = viewer.layers["field"]
    user.wait(lambda: user.seen[-1].view.target.layer is field)


def test_a_stack_of_one_slice_offers_no_slices(viewer, widget, blobs, predict):
    viewer.add_image(blobs[None, None], name="field")
    assert not widget.image_panel.slices.isVisible()
    assert "4 objects" in predict()


def test_slices_and_channels_are_those_of_the_pixels_that_a_script_sets(
    viewer, widget, predict, blobs
):
    image = viewer.add_image(blobs, name="growing")
    slices, channels = widget.image_panel.slices, widget.image_panel.channels.box
    image.data = np.stack([blobs] * 5)
    assert slices.itemText(1) == "All 5 slices"
    slices.setCurrentIndex(1)
    image.data = np.stack([blobs] * 7)
    assert slices.currentText() == "All 7 slices"
    predict()
    assert viewer.layers["growing semantic"].data[6].any()
    image.data = np.stack([blobs] * 2)
    assert slices.count() == 0
    assert channels.currentText() == "Channel 0"
    image.data = blobs
    assert channels.count() == 0
