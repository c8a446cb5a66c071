"""Layers that lie over each other are seen as the channels of one image."""

import numpy as np
import pytest
import tifffile
from gui_annotate import annotate, on_disk, open_again
from gui_live import CELL, LiveUser, dab, paint_both, said, save_small_model
from gui_threshold import saved_threshold_model

from napari_unet.gui.image.screen import camera_of
from napari_unet.models import read_spec


@pytest.fixture
def channels(viewer, annotations):
    """Three channels of one image as layers; from the lowest one up."""
    data = np.random.default_rng(0).integers(0, 99, (3, 60, 80)).astype(np.uint16)
    return viewer.add_image(data, channel_axis=0, name=["dna", "actin", "er"])


@pytest.fixture
def stained(viewer, annotations, blobs):
    """Two layers; the upper one is in hand, and shows other squares."""
    data = np.stack([blobs, np.roll(blobs, (12, 20), (0, 1))])
    layers = viewer.add_image(data, channel_axis=0, name=["dna", "actin"])
    viewer.layers.selection.active = layers[1]
    return layers


def offered(panel):
    return [panel.channels.box.itemText(i) for i in range(panel.channels.box.count())]


def go_on(widget, qtbot):
    """Press Continue once it is offered."""
    panel = widget.annotate_panel
    qtbot.wait_until(panel.kept_line.isVisible)
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: panel.image is not None)


def seen(widget, layer):
    """Return the pixels that a model gets to see of a layer, ``(C, Y, X)``."""
    target = widget.session.target(layer)
    subject = widget.session.live.subjects.of(target, model=None)
    return subject.image.read(subject.image.whole(), subject.channels)


def test_layers_of_the_same_size_and_place_are_offered(viewer, widget, channels):
    panel = widget.image_panel
    viewer.add_image(channels[0].data, name="beside", translate=(0, 90))
    assert not panel.channels.box.isVisible()
    viewer.add_image(channels[0].data[:50], name="smaller")
    assert not panel.channels.box.isVisible()
    viewer.add_image(np.zeros((60, 80, 3), np.uint8), name="colours")
    assert offered(panel)[0] == "All colours"
    viewer.layers.selection.active = channels[1]
    assert panel.channels.box.isVisible()
    assert offered(panel) == [
        "This layer alone",
        "With 'dna'",
        "With 'er'",
        "All 3 layers",
    ]
    viewer.layers.remove("er")
    assert offered(panel) == ["This layer alone", "With 'dna'"]


@pytest.fixture
def labelled(widget, store, stained, qtbot):
    """What is painted, and kept, on both layers as channels."""
    widget.image_panel.channels.box.setCurrentText("With 'dna'")
    image = annotate(widget.annotate_panel, qtbot)
    paint_both(image.scribbles)
    qtbot.wait_until(lambda: on_disk(store, image, image.scribbles))
    return image


def open_two_files(viewer, blobs, folder):
    """Open two files of two channels each, a layer for each channel."""
    for name in ("one", "two"):
        path = folder / f"{name}.tif"
        tifffile.imwrite(path, np.stack([blobs, blobs]))
        viewer.open(path, plugin="napari", channel_axis=0)


def test_of_a_file_only_its_own_layers_are_offered(viewer, widget, blobs, tmp_path):
    open_two_files(viewer, blobs, tmp_path)
    viewer.layers.selection.active = viewer.layers[0]
    assert offered(widget.image_panel) == [
        "This layer alone",
        f"With '{viewer.layers[1].name}'",
    ]


def test_the_next_file_is_seen_as_the_one_before(viewer, widget, blobs, tmp_path):
    open_two_files(viewer, blobs, tmp_path)
    box, layers = widget.image_panel.channels.box, viewer.layers
    for choice in (1, 0):
        layers.selection.active = layers[0]
        box.setCurrentIndex(choice)
        layers.selection.active = layers[2]
        assert box.currentIndex() == choice
    # What was chosen for it stays.
    box.setCurrentIndex(1)
    layers.selection.active = layers[0]
    assert box.currentIndex() == 0


@pytest.mark.parametrize(
    ("chosen", "order"),
    [
        ("This layer alone", [1]),
        ("With 'dna'", [0, 1]),
        ("With 'er'", [1, 2]),
        ("All 3 layers", [0, 1, 2]),
    ],
)
def test_channels_are_in_the_order_of_layers(viewer, widget, channels, chosen, order):
    viewer.layers.selection.active = channels[1]
    widget.session.live.subjects.channels = len(order)
    widget.image_panel.channels.box.setCurrentText(chosen)
    expected = np.stack([channels[i].data for i in order])
    np.testing.assert_array_equal(seen(widget, channels[1]), expected)
    # Each layer has a choice of its own.
    viewer.layers.selection.active = channels[0]
    assert widget.image_panel.channels.box.currentText() == "This layer alone"
    viewer.layers.selection.active = channels[1]
    assert widget.image_panel.channels.box.currentText() == chosen


def test_a_joined_layer_that_is_removed_is_seen_still(viewer, widget, channels):
    viewer.layers.selection.active = channels[0]
    widget.session.live.subjects.channels = 2
    widget.image_panel.channels.box.setCurrentText("With 'er'")
    viewer.layers.remove("er")
    assert widget.image_panel.channels.box.currentText() == "With 'er'"
    np.testing.assert_array_equal(seen(widget, channels[0])[1], channels[2].data)


def test_layers_that_are_moved_keep_their_order_as_channels(viewer, widget, channels):
    viewer.layers.selection.active = channels[0]
    widget.image_panel.channels.box.setCurrentText("With 'actin'")
    viewer.layers.move(0, 3)
    assert offered(widget.image_panel).count("With 'actin'") == 1
    widget.session.live.subjects.channels = 2
    np.testing.assert_array_equal(seen(widget, channels[0])[0], channels[0].data)


def test_joined_layers_that_are_removed_are_let_go(viewer, widget, channels):
    viewer.layers.selection.active = channels[0]
    widget.image_panel.channels.box.setCurrentText("With 'er'")
    assert widget.session.channels._joined
    viewer.layers.clear()
    assert not widget.session.channels._joined


def test_pixels_that_are_replaced_are_seen(viewer, widget, channels):
    viewer.layers.selection.active = channels[0]
    widget.session.live.subjects.channels = 2
    widget.image_panel.channels.box.setCurrentText("With 'er'")
    before = widget.session.target(channels[0])
    subjects = widget.session.live.subjects
    assert subjects.of(before).image is subjects.of(before).image
    channels[2].data = channels[2].data + 1
    np.testing.assert_array_equal(seen(widget, channels[0])[1], channels[2].data)


def test_a_layer_that_is_given_another_size_is_no_channel(viewer, widget, channels):
    viewer.layers.selection.active = channels[0]
    widget.image_panel.channels.box.setCurrentText("With 'er'")
    channels[2].data = channels[2].data[:30]
    np.testing.assert_array_equal(seen(widget, channels[0])[0], channels[0].data)


def test_a_model_of_two_channels_sees_both_layers(
    viewer, widget, stained, predict, tmp_path
):
    dna, actin = (layer.data > 1000 for layer in stained)
    # It goes by the first of its channels.
    folder = saved_threshold_model(tmp_path / "two", channels=2)
    widget.prediction_panel.models.choose_folder(folder)
    predict()
    result = viewer.layers["actin semantic"]
    np.testing.assert_array_equal(result.data > 0, actin)
    widget.image_panel.channels.box.setCurrentText("With 'dna'")
    predict()
    np.testing.assert_array_equal(result.data > 0, dna)


def test_training_learns_from_both_layers(viewer, widget, stained, qtbot, tmp_path):
    widget.prediction_panel.models.choose_folder(save_small_model(tmp_path / "small"))
    user = LiveUser(widget, qtbot)
    widget.image_panel.channels.box.setCurrentText("With 'dna'")
    scribbles = annotate(widget.annotate_panel, qtbot).scribbles
    paint_both(scribbles)
    user.start()
    user.more_previews(1)
    assert scribbles.name == "actin scribbles"
    np.testing.assert_array_equal(
        seen(widget, stained[1]), [layer.data for layer in stained]
    )
    user.stop()
    assert read_spec(widget.prediction_panel.models.model).channels == 2


@pytest.mark.parametrize("chosen", ["This layer alone", "With 'dna'"])
def test_training_goes_on_with_the_pixels_of_before_if_they_get_another_size(
    viewer, widget, stained, qtbot, tmp_path, notified, chosen
):
    widget.prediction_panel.models.choose_folder(save_small_model(tmp_path / "small"))
    user = LiveUser(widget, qtbot)
    widget.image_panel.channels.box.setCurrentText(chosen)
    scribbles = annotate(widget.annotate_panel, qtbot).scribbles
    paint_both(scribbles)
    user.start()
    user.more_previews(1)
    labelled = user.steps[-1].labelled
    stained[1].data = stained[1].data[:40]
    user.wait(lambda: said(user, notified, "another size now"))
    # A view that has moved asks for a preview.
    camera_of(viewer).zoom *= 1.3
    qtbot.wait(1000)
    dab(scribbles, CELL, (50, 60), (20, 60), (30, 20))
    user.wait(lambda: user.steps[-1].labelled > labelled)
    user.more_steps(10)
    user.stop()
    assert not said(user, notified, "went wrong")
    assert not said(user, notified, "Nothing is labelled")


def test_labels_of_joined_layers_find_them_again(
    widget, store, stained, labelled, qtbot, make_napari_viewer, tmp_path
):
    assert store.load(labelled.key)[0].channels == (0, 1)
    other = make_napari_viewer(show=True)
    again = open_again(other, None, widget.session.engine, tmp_path)
    data = np.stack([layer.data for layer in stained])
    _, upper = other.add_image(data, channel_axis=0)
    other.layers.selection.active = upper
    go_on(again, qtbot)
    again.session.live.subjects.channels = 2
    np.testing.assert_array_equal(seen(again, upper), data)
    assert again.image_panel.channels.box.currentText().startswith("With")
    # What comes or goes later does not change what it is.
    third = other.add_image(data[0], name="third")
    np.testing.assert_array_equal(seen(again, upper), data)
    other.layers.remove(third)
    other.layers.remove(other.layers[0])
    np.testing.assert_array_equal(seen(again, upper), data)


def test_labels_of_joined_layers_say_if_these_are_not_open(
    widget, stained, labelled, qtbot, make_napari_viewer, tmp_path
):
    other = make_napari_viewer(show=True)
    again = open_again(other, stained[1].data, widget.session.engine, tmp_path)
    assert not again.image_panel.note.isVisible()
    go_on(again, qtbot)
    assert "labelled on 2 layers" in again.image_panel.note.text()


def test_layers_that_are_moved_away_can_still_be_let_go(viewer, widget, channels):
    panel = widget.image_panel
    viewer.layers.selection.active = channels[0]
    panel.channels.box.setCurrentText("With 'er'")
    for other in channels[1:]:
        other.translate = (5, 5)
    # Whatever has the choice shown anew.
    viewer.layers.selection.active = channels[1]
    viewer.layers.selection.active = channels[0]
    assert panel.channels.box.isVisible()
    assert panel.channels.box.currentText() == "With 'er'"
    panel.channels.box.setCurrentText("This layer alone")
    assert len(seen(widget, channels[0])) == 1
    assert not panel.channels.box.isVisible()
