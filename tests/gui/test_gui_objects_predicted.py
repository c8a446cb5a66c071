"""Where the objects to correct come from: a prediction, an older one, or nowhere."""

import numpy as np
import pytest
from gui_annotate import ids, take_in
from qtpy.QtCore import QPointF, QTimer

from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.objects import correction


def test_a_new_prediction_spares_what_is_accepted(
    viewer, widget, annotations, correct, mouse, qtbot, blobs
):
    panel = widget.objects_panel
    layer = correct(blobs)
    layer.data_setitem(np.nonzero(layer.data > 0), 9)
    corrected = layer.data.copy()
    camera_of(viewer).zoom = 4
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


def test_what_is_changed_in_one_slice_is_said(viewer, widget, slices, mouse):
    at = viewer.dims.current_step[0]
    others = np.arange(5) != at
    before = slices.data.copy()
    panel = widget.objects_panel
    panel.buttons["merge"].click()
    mouse.click(at, 10, 15)
    mouse.click(at, 10, 55)
    assert "into 1 in this slice" in panel.status.text()
    panel.buttons["delete"].click()
    mouse.click(at, 10, 15)
    assert "Deleted 1 in this slice" in panel.status.text()
    assert not slices.data[at, 5:20].any()
    np.testing.assert_array_equal(slices.data[others], before[others])


@pytest.mark.parametrize("slices", ["t"], indirect=True)
def test_objects_of_a_film_have_ids_of_their_own(
    viewer, widget, annotations, slices, mouse
):
    layer = slices
    assert ids(layer) == set(range(1, 21))
    viewer.dims.set_current_step(0, 2)
    widget.objects_panel.buttons["delete"].click()
    mouse.click(2, 10, 15)
    assert "slice" not in widget.objects_panel.status.text()
    assert len(ids(layer)) == 19
    assert not layer.data[2, 5:20, 10:22].any()
    camera_of(viewer).zoom = 4
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
    section = widget.annotate_panel.take_in
    section.source.setCurrentText("mask")
    section.as_objects.click()
    qtbot.wait_until(lambda: "field objects" in viewer.layers)
    layer = viewer.layers["field objects"]
    assert layer.selected_label not in ids(layer)
    take_in(section.as_objects, qtbot)
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
