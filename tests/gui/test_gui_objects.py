import numpy as np
import pytest
from gui_annotate import annotate, open_again
from qtpy.QtCore import QPointF, Qt, QTimer

from napari_unet.annotation import AnnotationStore
from napari_unet.gui import correction
from napari_unet.gui.session import session_of


@pytest.fixture
def correct(viewer, widget, annotations, predict, qtbot):
    """Predict, press Correct objects, and return the layer of objects."""

    def press(image):
        viewer.add_image(image, name="field")
        predict()
        with qtbot.wait_signal(widget.objects_panel._correction.shown):
            widget.objects_panel.correct.click()
        return viewer.layers["field objects"]

    return press


def ids(layer) -> set[int]:
    return set(np.unique(layer.data).tolist()) - {0}


def test_merge_split_and_delete_with_the_mouse_and_undo(
    viewer, widget, annotations, correct, mouse, qtbot, blobs
):
    panel = widget.objects_panel
    layer = correct(blobs)
    predicted = viewer.layers["field instances"].data.copy()
    np.testing.assert_array_equal(layer.data, predicted)
    image = annotations.images[0]
    left, right = predicted[10, 15], predicted[10, 55]

    panel.buttons["delete"].click()
    mouse.click(10, 15)
    assert ids(layer) == {1, 2, 3, 4} - {left}
    layer.undo()
    assert ids(layer) == {1, 2, 3, 4}

    panel.buttons["merge"].click()
    mouse.click(10, 15)
    mouse.click(10, 55)
    assert ids(layer) == {1, 2, 3, 4} - {right}
    assert layer.data[10, 55] == left
    layer.undo()

    panel.buttons["split"].click()
    mouse.draw((13, 5), (13, 30))
    assert ids(layer) == {1, 2, 3, 4, 5}
    assert layer.data[6, 15] != layer.data[18, 15]
    np.testing.assert_array_equal(layer.data > 0, predicted > 0)
    qtbot.wait_until(
        lambda: np.array_equal(image.annotation.objects.dense(), layer.data)
    )
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(layer.data, predicted)
    qtbot.wait_until(
        lambda: np.array_equal(image.annotation.objects.dense(), layer.data)
    )

    # napari's own tools end ours, and the prediction was never written to.
    mouse.key(Qt.Key.Key_1)
    assert layer.mode == "erase"
    assert not any(b.isChecked() for b in panel.buttons.values())
    mouse.draw((10, 12), (10, 18))
    assert layer.data[10, 15] == 0
    np.testing.assert_array_equal(viewer.layers["field instances"].data, predicted)


@pytest.mark.parametrize("tool", ["delete", "split"])
def test_a_tool_ends_with_another_layer_in_hand(
    viewer, widget, annotations, correct, mouse, qtbot, blobs, tool
):
    panel = widget.objects_panel
    layer = correct(blobs)
    before = layer.data.copy()
    panel.buttons[tool].click()
    assert panel.buttons[tool].isChecked()
    annotate(widget.annotate_panel, qtbot)
    qtbot.wait_until(lambda: not panel.buttons[tool].isChecked())
    assert panel.status.text() == ""
    assert "field drawing" not in viewer.layers
    assert viewer.layers.selection.active is viewer.layers["field scribbles"]
    viewer.layers.selection.active = layer
    mouse.draw((13, 5), (13, 30))
    mouse.click(13, 15)
    np.testing.assert_array_equal(layer.data, before)


def test_a_tool_stays_while_other_layers_are_added_for_it(
    viewer, widget, annotations, correct, mouse, blobs, qtbot, predict
):
    panel = widget.objects_panel
    layer = correct(blobs)
    panel.buttons["delete"].click()
    panel.accept_view.click()
    viewer.layers.remove("field instances")
    predict()
    qtbot.wait(50)
    assert panel.buttons["delete"].isChecked()
    mouse.click(10, 15)
    assert layer.data[10, 15] == 0


def test_a_click_gives_an_object_the_chosen_class_and_undo_takes_it_back(
    viewer, widget, annotations, correct, mouse, qtbot, blobs
):
    layer = correct(blobs)
    image = annotations.images[0]
    before = layer.data.copy()
    annotations.set_scheme(annotations.scheme.add("dead"))
    annotations.choose(2)
    widget.objects_panel.buttons["class"].click()
    mouse.click(10, 15)
    new = int(layer.data[10, 15])
    assert new not in before
    np.testing.assert_array_equal(layer.data == new, before == before[10, 15])
    assert "'dead'" in widget.objects_panel.status.text()
    mouse.click(10, 15)
    assert int(layer.data[10, 15]) == new
    assert "already" in widget.objects_panel.status.text()
    widget.objects_panel.accept_view.click()
    verified = image.annotation.verified.dense()
    assert image.annotation.counts(3)[2] == (verified & (layer.data == new)).sum() > 0
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    qtbot.wait_until(lambda: image.annotation.counts(3)[2] == 0)


def test_accept_the_view_then_withdraw_it(
    viewer, widget, annotations, correct, qtbot, blobs
):
    panel = widget.objects_panel
    correct(blobs)
    image = annotations.images[0]
    assert not image.annotation.verified.keys()
    viewer.scene.camera.zoom = 4
    viewer.screenshot(flash=False)
    panel.accept_view.click()
    assert image.annotation.verified.dense().all()
    assert image.annotation.counts(2).tolist() == [
        (blobs < 2000).sum(),
        (blobs > 2000).sum(),
    ]
    outlines = viewer.layers["field accepted"].data
    assert (
        outlines[0].all() and outlines[:, -1].all() and not outlines[1:-1, 1:-1].any()
    )
    panel.withdraw.click()
    assert not image.annotation.verified.keys()
    assert not outlines.any()
    assert "Withdrawn" in panel.status.text()
    viewer.add_image(blobs, name="other")
    assert panel.status.text() == ""


def test_accept_a_drawn_rectangle_and_find_it_again(
    viewer,
    widget,
    annotations,
    correct,
    mouse,
    qtbot,
    blobs,
    tmp_path,
    engine,
    make_napari_viewer,
):
    panel = widget.objects_panel
    layer = correct(blobs)
    panel.accept_rectangle.click()
    mouse.draw((2, 4), (25, 30))
    image = annotations.images[0]
    expected = np.zeros(blobs.shape, bool)
    expected[2:26, 4:31] = True
    np.testing.assert_array_equal(image.annotation.verified.dense(), expected)
    assert viewer.layers.selection.active is layer
    outline = expected.copy()
    outline[3:25, 5:30] = False
    np.testing.assert_array_equal(viewer.layers["field accepted"].data, outline)
    assert "field drawing" not in viewer.layers

    store = AnnotationStore(tmp_path)
    qtbot.wait_until(lambda: store.path(image.key).exists())
    qtbot.wait_until(lambda: not annotations.keeping.unsaved)
    other = make_napari_viewer(show=True)
    line = open_again(other, blobs, engine, tmp_path).annotate_panel.kept_line
    qtbot.wait_until(line.isVisible)
    line.go_on.click()
    qtbot.wait_until(lambda: "again accepted" in other.layers)
    np.testing.assert_array_equal(other.layers["again objects"].data, layer.data)
    np.testing.assert_array_equal(other.layers["again accepted"].data, outline)
    again = session_of(other).annotations.images[0].annotation
    np.testing.assert_array_equal(again.verified.dense(), expected)


def test_scribbles_go_on_with_the_classes_of_the_prediction(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="field")
    predict()
    before = [layer.data.copy() for layer in viewer.layers[1:]]
    annotate(widget.annotate_panel, qtbot)
    assert annotations.scheme.names == ("background", "cell")
    scribbles = viewer.layers["field scribbles"]
    scribbles.paint((10, 10), 2)
    stroke = scribbles.data.copy()
    predict()
    np.testing.assert_array_equal(scribbles.data, stroke)
    for layer, data in zip(viewer.layers[1:3], before, strict=True):
        np.testing.assert_array_equal(layer.data, data)


def test_pieces_keep_their_class_and_new_objects_get_the_chosen_one(
    viewer, widget, annotations, correct, mouse, qtbot, blobs
):
    layer = correct(blobs)
    image = annotations.images[0]
    annotations.set_scheme(annotations.scheme.add("other"))
    image.annotation.set_object_classes({int(layer.data[10, 15]): 2})
    widget.objects_panel.buttons["split"].click()
    mouse.draw((13, 5), (13, 30))
    annotations.choose(2)
    layer.paint((28, 40), 50)
    qtbot.wait_until(lambda: 50 in image.annotation.ids())
    pieces = {int(layer.data[6, 15]), int(layer.data[18, 15])}
    classes = image.annotation.object_classes
    assert {i for i, c in classes.items() if c == 2} == {*pieces, 50}


def test_a_new_prediction_spares_what_is_accepted(
    viewer, widget, annotations, correct, mouse, qtbot, blobs
):
    panel = widget.objects_panel
    layer = correct(blobs)
    layer.data_setitem(np.nonzero(layer.data > 0), 9)
    corrected = layer.data.copy()
    viewer.scene.camera.zoom = 4
    panel.accept_rectangle.click()
    mouse.draw((0, 0), (59, 40))
    with qtbot.wait_signal(panel._correction.shown):
        panel.renew.click()
    np.testing.assert_array_equal(layer.data[:, :41], corrected[:, :41])
    assert len(np.unique(layer.data[:, 41:])) == 3
    layer.undo()
    np.testing.assert_array_equal(layer.data, corrected)


@pytest.fixture(params=["z"])
def slices(request, viewer, widget, annotations, qtbot, blobs):
    """The layer of objects of five slices that are all predicted."""
    stack = np.stack([blobs] * 5)
    viewer.add_image(stack, name="field", axis_labels=(request.param, "y", "x"))
    widget.image_panel.slices.setCurrentIndex(1)
    with qtbot.wait_signal(widget.prediction_panel.ended):
        widget.prediction_panel.controls.predict.click()
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    # The docked panel may have made the canvas narrower than the image.
    viewer.reset_view()
    return viewer.layers["field objects"]


def test_objects_of_a_stack_are_a_copy_of_the_prediction(
    viewer, widget, annotations, slices
):
    predicted = viewer.layers["field instances"].data
    assert ids(slices) == {1, 2, 3, 4}
    np.testing.assert_array_equal(slices.data, predicted)
    assert widget.objects_panel.status.text() == "4 objects to correct."
    objects = annotations.images[0].annotation.objects
    np.testing.assert_array_equal(objects.dense(), predicted)


@pytest.mark.parametrize("slices", ["t"], indirect=True)
def test_objects_of_a_film_have_ids_of_their_own(
    viewer, widget, annotations, slices, mouse
):
    layer = slices
    assert ids(layer) == set(range(1, 21))
    viewer.dims.set_current_step(0, 2)
    widget.objects_panel.buttons["delete"].click()
    mouse.click(2, 10, 15)
    assert len(ids(layer)) == 19
    assert not layer.data[2, 5:20, 10:22].any()
    viewer.scene.camera.zoom = 4
    viewer.screenshot(flash=False)
    widget.objects_panel.accept_view.click()
    verified = annotations.images[0].annotation.verified.dense()
    assert verified[2].all()
    assert verified.sum() == verified[2].size


def test_a_new_prediction_of_a_slice_is_kept_while_another_one_is_looked_at(
    viewer, widget, annotations, slices, qtbot, monkeypatch
):
    labels = annotations.images[0].annotation
    before = np.where(slices.data > 0, 99, 0)
    slices.data = before.astype(np.uint32)
    qtbot.wait_until(lambda: np.array_equal(labels.objects.dense(), before))
    viewer.dims.set_current_step(0, 1)
    # A turn for each row.
    monkeypatch.setattr(correction, "_TURN", 0)
    monkeypatch.setattr(correction, "_ROWS", 1)

    def scroll_on(event):
        QTimer.singleShot(0, lambda: viewer.dims.set_current_step(0, 3))

    # After one of the first rows.
    slices.events.labels_update.connect(scroll_on)
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.renew.click()
    assert viewer.dims.current_step[0] == 3
    assert ids(slices) == {99, 100, 101, 102, 103}
    qtbot.wait_until(lambda: np.array_equal(labels.objects.dense(), slices.data))
    slices.undo()
    np.testing.assert_array_equal(slices.data, before)
    qtbot.wait_until(lambda: np.array_equal(labels.objects.dense(), before))


def test_from_the_side_no_object_of_another_slice_is_deleted(
    viewer, widget, slices, mouse, qtbot
):
    viewer.dims.set_current_step(0, 2)
    before = slices.data.copy()
    widget.objects_panel.buttons["delete"].click()
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, 10)
    viewer.reset_view()
    middle = QPointF(mouse.canvas.rect().center())
    for x in (-60, 0, 60):
        mouse.click_at(middle + QPointF(x, 0))
    np.testing.assert_array_equal(slices.data, before)
    assert "2-D" in widget.objects_panel.status.text()


def test_without_a_prediction_objects_are_painted(
    viewer, widget, annotations, qtbot, blobs
):
    viewer.add_image(blobs, name="field")
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    assert "no prediction" in widget.objects_panel.status.text()
    layer = viewer.layers["field objects"]
    layer.paint((10, 10), 1)
    image = annotations.images[0]
    qtbot.wait_until(lambda: image.annotation.ids() == {1})


def test_a_prediction_that_was_painted_on_is_what_is_corrected(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="field")
    predict()
    viewer.layers["field instances"].paint((25, 40), 9)
    correction = widget.objects_panel._correction
    with qtbot.wait_signal(correction.shown) as shown:
        widget.objects_panel.correct.click()
    assert shown.args[1] == "5 objects to correct."


def test_a_prediction_that_comes_later_is_laid_into_the_empty_layer(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="field")
    shown = widget.objects_panel._correction.shown
    with qtbot.wait_signal(shown):
        widget.objects_panel.correct.click()
    layer = viewer.layers["field objects"]
    predict()
    with qtbot.wait_signal(shown):
        widget.objects_panel.correct.click()
    np.testing.assert_array_equal(layer.data, viewer.layers["field instances"].data)
    objects = annotations.images[0].annotation.objects
    np.testing.assert_array_equal(objects.dense(), layer.data)


def test_a_prediction_that_was_removed_is_not_corrected(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="field")
    predict()
    viewer.layers.remove("field instances")
    with qtbot.wait_signal(widget.objects_panel._correction.shown) as shown:
        widget.objects_panel.correct.click()
    assert "no prediction yet" in shown.args[1]


def test_what_is_painted_is_a_new_object_however_others_came(
    viewer, widget, annotations, mouse, qtbot, blobs
):
    viewer.add_image(blobs, name="field")
    viewer.add_labels((blobs > 2000).astype(np.uint8), name="mask")
    take_in = widget.annotate_panel.take_in
    take_in.source.setCurrentText("mask")
    take_in.as_objects.click()
    qtbot.wait_until(lambda: "field objects" in viewer.layers)
    layer = viewer.layers["field objects"]
    assert layer.selected_label not in ids(layer)
    take_in.as_objects.click()
    assert layer.selected_label not in ids(layer)

    # A piece of a split gets the number that the brush has.
    split = widget.objects_panel.buttons["split"]
    assert split.isEnabled()
    split.click()
    before = layer.selected_label
    mouse.draw((13, 5), (13, 30))
    assert before in ids(layer), widget.objects_panel.status.text()
    assert layer.selected_label not in ids(layer)

    # Shown again, as after a restart.
    viewer.layers.remove(layer)
    widget.objects_panel.correct.click()
    again = viewer.layers["field objects"]
    assert again.selected_label not in ids(again)
