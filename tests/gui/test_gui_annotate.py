"""Strokes of the classes, and the classes themselves."""

import numpy as np
import pytest
from gui_annotate import BACKGROUND, FIRST, annotate, ids, on_disk, same, take_in
from qtpy.QtCore import Qt, QTimer

from napari_unet.gui.annotate import class_panel
from napari_unet.images import Region, write_labels


def test_undo_and_redo_are_followed(viewer, painted, mouse, qtbot):
    image, layer = painted
    stroke = layer.data.copy()
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait_until(lambda: not image.annotation.scribbles.keys())
    assert not layer.data.any()
    layer.redo()
    qtbot.wait_until(lambda: same(image, layer))
    np.testing.assert_array_equal(layer.data, stroke)


def test_an_undo_in_a_hidden_layer_is_followed(viewer, painted, annotations, mouse):
    image, layer = painted
    layer.visible = False
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not layer.data.any()
    annotations.flush()
    assert same(image, layer)


def test_shift_chooses_the_class_and_plain_keys_stay_naparis(
    viewer, panel, annotations, painted, mouse
):
    _, layer = painted
    panel.classes.add.click()
    shift = Qt.KeyboardModifier.ShiftModifier
    for key, value in ((Qt.Key.Key_1, 1), (Qt.Key.Key_3, 3), (Qt.Key.Key_2, 2)):
        mouse.key(key, shift)
        assert layer.selected_label == value
        assert layer.mode == "paint"
        assert [row.choose.isChecked() for row in panel.classes.rows] == [
            i == value for i in (1, 2, 3)
        ]
    mouse.key(Qt.Key.Key_9, shift)
    assert layer.selected_label == FIRST
    mouse.key(Qt.Key.Key_1)
    assert layer.mode == "erase"
    size = layer.brush_size
    mouse.key(Qt.Key.Key_BracketRight)
    assert layer.brush_size == size + 1
    viewer.layers.selection.active = viewer.layers["field"]
    mouse.key(Qt.Key.Key_1, shift)
    assert annotations.chosen == 1


def test_classes_are_added_renamed_and_recoloured(
    panel, annotations, painted, notified
):
    _, layer = painted
    panel.classes.add.click()
    assert annotations.scheme.names == ("background", "cell", "class 2")
    assert layer.selected_label == FIRST + 1
    row = panel.classes.rows[2]
    row.name.setText("nucleus")
    row.name.editingFinished.emit()
    assert annotations.scheme.names[2] == "nucleus"
    panel.classes.rows[2].recoloured.emit(2, "#ff0000")
    np.testing.assert_allclose(layer.get_color(FIRST + 1), (1, 0, 0, 1))
    assert layer.get_color(99)[3] == 0

    row = panel.classes.rows[2]
    row.name.setText("cell")
    row.name.editingFinished.emit()
    assert "same name" in notified[-1]
    assert panel.classes.rows[2].name.text() == "nucleus"


def test_removing_a_class_says_what_happens_first(
    viewer, panel, annotations, store, painted, qtbot
):
    image, layer = painted
    panel.classes.add.click()
    layer.paint((40, 40), FIRST + 1)
    panel.classes.rows[1].remove.click()
    removal = panel.classes.removal
    pixels = (layer.data == FIRST).sum()
    assert removal.isVisible()
    assert f"{pixels} labelled pixels in 1 image" in removal.question.text()
    removal.cancel.click()
    assert len(annotations.scheme) == 3

    panel.classes.rows[1].remove.click()
    removal.becomes.setCurrentText("Its labels become background")
    removal.remove.click()
    assert annotations.scheme.names == ("background", "class 2")
    assert layer.data[10, 15] == BACKGROUND
    assert layer.data[40, 40] == FIRST
    assert same(image, layer)
    layer.undo()
    assert layer.data[10, 15] == BACKGROUND
    qtbot.wait_until(lambda: on_disk(store, image, layer))

    panel.classes.rows[1].remove.click()
    removal.remove.click()
    assert layer.data[40, 40] == 0
    assert layer.data[10, 15] == BACKGROUND


def test_the_brush_keeps_its_class_when_another_one_is_removed(
    panel, annotations, painted, notified
):
    _, layer = painted
    for _ in range(2):
        panel.classes.add.click()
    annotations.choose(2)
    panel.classes.rows[1].remove.click()
    panel.classes.removal.remove.click()
    assert annotations.scheme.names == ("background", "class 2", "class 3")
    assert annotations.chosen == 1
    assert layer.selected_label == FIRST

    annotations.choose(2)
    panel.classes.rows[2].remove.click()
    panel.classes.removal.remove.click()
    assert annotations.chosen == 1
    assert layer.selected_label == FIRST
    assert not notified


def test_what_is_painted_while_it_is_asked_is_said_before_a_class_is_removed(
    panel, annotations, painted
):
    _, layer = painted
    panel.classes.add.click()
    panel.classes.rows[2].remove.click()
    removal = panel.classes.removal
    assert "no labels" in removal.question.text()
    layer.paint((40, 40), FIRST + 1)
    removal.remove.click()
    assert "labelled pixels in 1 image" in removal.question.text()
    assert (layer.data == FIRST + 1).any()
    removal.remove.click()
    assert not removal.isVisible()
    assert not (layer.data == FIRST + 1).any()


def test_removing_a_class_counts_objects_that_nobody_accepted(
    viewer, widget, panel, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="field")
    predict()
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    panel.classes.rows[1].remove.click()
    removal = panel.classes.removal
    assert "It has 4 objects in 1 image" in removal.question.text()
    assert removal.becomes.isVisible()


def test_renaming_reordering_and_removing_layers_leaves_strokes_whole(
    viewer, panel, annotations, store, painted, qtbot
):
    image, layer = painted
    # napari 0.9.2 on Mesa may crash when the last Labels layer is removed.
    viewer.add_labels(np.zeros((4, 4), np.uint8), name="stays")
    viewer.layers["field"].name = "cells"
    assert layer.name == "cells scribbles"
    viewer.layers.reverse()
    layer.paint((30, 30), BACKGROUND)
    qtbot.wait_until(lambda: same(image, layer))

    viewer.layers.remove("cells")
    layer.paint((50, 60), FIRST)
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    assert annotations.images == [image]

    layer.paint((20, 70), FIRST)
    viewer.layers.remove(layer)
    assert annotations.images == []
    qtbot.wait_until(lambda: on_disk(store, image, layer))


def test_a_removed_scribbles_layer_comes_back(
    viewer, panel, annotations, painted, qtbot
):
    image, layer = painted
    layer.paint((50, 60), FIRST)
    viewer.layers.remove(layer)
    annotate(panel, qtbot)
    again = viewer.layers["field scribbles"]
    assert again is not layer
    np.testing.assert_array_equal(again.data, layer.data)
    assert annotations.images == [image]


def test_strokes_on_a_slice_of_a_stack(viewer, panel, annotations, qtbot, blobs):
    viewer.add_image(np.stack([blobs] * 5), name="stack", axis_labels=("z", "y", "x"))
    viewer.dims.set_current_step(0, 3)
    annotate(panel, qtbot)
    layer = viewer.layers["stack scribbles"]
    layer.paint((3, 10, 15), FIRST)
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    assert {key[0] for key in image.annotation.scribbles.keys()} == {3}
    viewer.dims.set_current_step(0, 1)
    layer.paint((1, 10, 15), BACKGROUND)
    qtbot.wait_until(lambda: same(image, layer))
    layer.undo()
    layer.undo()
    qtbot.wait_until(lambda: not image.annotation.scribbles.keys())


def test_a_stroke_that_goes_on_in_another_slice(
    viewer, panel, annotations, mouse, qtbot, blobs
):
    viewer.add_image(np.stack([blobs] * 5), name="stack", axis_labels=("z", "y", "x"))
    annotate(panel, qtbot)
    layer = viewer.layers["stack scribbles"]
    viewer.dims.set_current_step(0, 1)

    def scroll_on(layer, event):
        if event.type == "mouse_press":
            QTimer.singleShot(30, lambda: viewer.dims.set_current_step(0, 2))

    layer.mouse_drag_callbacks.append(scroll_on)
    mouse.draw((1, 10, 15), (1, 40, 40), steps=16)
    assert layer.data[1].any()
    assert layer.data[2].any()
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))


@pytest.mark.parametrize("side", ["from the side", "in 3-D"])
def test_a_stroke_through_several_slices(
    viewer, panel, annotations, qtbot, blobs, side
):
    stack = np.stack([blobs] * 9)
    viewer.add_image(stack, name="field", axis_labels=("z", "y", "x"))
    annotate(panel, qtbot)
    layer = viewer.layers["field scribbles"]
    viewer.dims.set_current_step(0, 4)
    if side == "in 3-D":
        viewer.dims.ndisplay = 3
        layer.n_edit_dimensions = 3
    else:
        viewer.dims.order = (1, 0, 2)
        viewer.dims.set_current_step(1, 10)
    layer.paint((4, 10, 15), FIRST)
    assert (layer.data == FIRST).any((1, 2)).sum() > 3
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    layer.undo()
    qtbot.wait_until(lambda: not image.annotation.scribbles.dense().any())


def test_channels_are_painted_once(viewer, panel, annotations, qtbot, blobs):
    rgb = np.repeat((blobs // 20).astype(np.uint8)[..., None], 3, axis=-1)
    viewer.add_image(rgb, name="colour", rgb=True)
    annotate(panel, qtbot)
    layer = viewer.layers["colour scribbles"]
    layer.paint((10, 15), FIRST)
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    assert layer.data.shape == blobs.shape


def test_other_pixels_of_the_same_size_are_learnt_from(
    viewer, widget, painted, blobs, notified
):
    image, layer = painted
    viewer.layers["field"].data = other = blobs[::-1].copy()
    assert widget.session.live.subjects.of(image.target).image.data is other
    assert same(image, layer)
    viewer.layers["field"].data = np.zeros((9, 9))
    assert "another size now" in notified[-1]
    assert same(image, layer)


@pytest.mark.parametrize("start", ["plane", "stack"])
def test_strokes_are_kept_while_the_image_has_other_axes(
    viewer, panel, annotations, qtbot, blobs, start
):
    stack = np.stack([blobs] * 3)
    before, after = (blobs, stack) if start == "plane" else (stack, blobs)
    field = viewer.add_image(before, name="field")
    annotate(panel, qtbot)
    layer, image = viewer.layers["field scribbles"], annotations.images[0]
    field.data = after
    layer.paint((1, 10, 15)[-layer.ndim :], FIRST)
    qtbot.wait_until(lambda: same(image, layer))
    assert layer.data.any()
    field.data = before
    layer.paint((1, 40, 15)[-layer.ndim :], BACKGROUND)
    qtbot.wait_until(lambda: same(image, layer))


def test_a_label_of_no_class_means_nothing(painted, annotations, qtbot, notified):
    image, layer = painted
    layer.selected_label = 77
    assert layer.selected_label == FIRST
    assert "no class" in notified[-1]
    stroke = layer.data.copy()
    layer.paint((40, 40), 77)
    qtbot.wait_until(lambda: not (layer.data == 77).any())
    np.testing.assert_array_equal(layer.data, stroke)
    qtbot.wait_until(lambda: same(image, layer))


@pytest.mark.parametrize("start", ["layer", "pyramid", "OME-Zarr", "file"])
def test_labels_from_elsewhere(
    viewer, panel, annotations, painted, qtbot, blobs, tmp_path, notified, start
):
    image, _ = painted
    mask = (blobs > 2000).astype(np.uint8) * 255
    section = panel.take_in
    if start == "layer":
        viewer.add_labels(mask, name="mask")
        section.source.setCurrentText("mask")
    elif start == "pyramid":
        viewer.add_labels([mask, mask[::2, ::2]], name="mask", multiscale=True)
        section.source.setCurrentText("mask")
    elif start == "OME-Zarr":
        # Its labels have a channel, as their image has in the file.
        viewer.add_labels(mask[np.newaxis], name="mask")
        section.source.setCurrentText("mask")
    else:
        write_labels(tmp_path / "mask.tif", mask, "YX")
        section.choose_file(tmp_path / "mask.tif")
    take_in(section.as_scribbles, qtbot)
    assert "Add the missing classes" in notified[-1]
    section.complete.setChecked(True)
    take_in(section.as_scribbles, qtbot)
    layer = viewer.layers["field scribbles"]
    np.testing.assert_array_equal(layer.data, np.where(mask, FIRST, BACKGROUND))
    assert same(image, layer)
    take_in(section.as_objects, qtbot)
    objects = viewer.layers["field objects"]
    np.testing.assert_array_equal(objects.data > 0, mask > 0)
    assert ids(objects) == {1, 2, 3, 4}
    assert "black and white" in notified[-1]
    assert image.annotation.verified.dense().all()
    assert "field accepted" in viewer.layers
    offered = [section.source.itemText(i) for i in range(section.source.count())]
    assert not [name for name in offered if name.startswith("field")]


def test_labels_of_another_size_are_refused(viewer, panel, painted, qtbot, notified):
    viewer.add_labels(np.ones((5, 5), np.uint8), name="small")
    panel.take_in.source.setCurrentText("small")
    take_in(panel.take_in.as_objects, qtbot)
    assert "5 x 5" in notified[-1]


def test_what_is_painted_while_labels_are_taken_in_stays(
    viewer, panel, painted, qtbot, blobs
):
    image, layer = painted
    viewer.add_labels((blobs > 2000).astype(np.uint8), name="mask")
    panel.take_in.source.setCurrentText("mask")
    panel.take_in.as_scribbles.click()
    layer.paint((28, 40), FIRST)
    qtbot.wait_until(panel.take_in.as_scribbles.isEnabled)
    assert same(image, layer)
    assert (layer.data[blobs > 2000] == BACKGROUND).all()
    assert layer.data[28, 40] == FIRST


def test_an_image_may_go_while_labels_are_taken_in(
    viewer, panel, annotations, painted, qtbot, blobs, notified
):
    viewer.add_labels((blobs > 2000).astype(np.uint8) + 1, name="mask")
    panel.take_in.source.setCurrentText("mask")
    panel.take_in.as_scribbles.click()
    viewer.layers.remove("field")
    viewer.layers.remove("field scribbles")
    qtbot.wait_until(lambda: panel.take_in._taking_in._under_way is None)
    assert not annotations.images
    assert [layer.name for layer in viewer.layers] == ["mask"]
    assert not notified


def test_a_large_region_is_counted_in_turns(
    viewer, panel, annotations, qtbot, monkeypatch
):
    monkeypatch.setattr(class_panel, "_TURN", 0)
    viewer.add_image(np.zeros((600, 700), np.uint8), name="field")
    image = annotate(panel, qtbot)
    line = panel.classes.rows[0].count
    before = line.text()
    image.accept(Region(0, 0, 600, 700))
    assert line.text() == before
    qtbot.wait_until(lambda: line.text() == "420,000 px")
    image.accept(Region(0, 0, 600, 300), False)
    qtbot.wait_until(lambda: line.text() == "240,000 px")
