import numpy as np
import pytest
from gui_annotate import annotate, ids, open_again
from qtpy.QtCore import Qt

from napari_unet.annotation import AnnotationStore
from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.session import session_of


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
    mouse.click(28, 40)
    assert f"no object. Now click the object that belongs to {left}" in (
        panel.status.text()
    )
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
    camera_of(viewer).zoom = 4
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


def test_a_view_without_the_image_is_not_accepted(
    viewer, widget, annotations, correct, blobs
):
    correct(blobs)
    image = annotations.images[0]
    camera_of(viewer).center = (1000, 1000)
    viewer.screenshot(flash=False)
    widget.objects_panel.accept_view.click()
    assert not image.annotation.verified.keys()
    assert "not in sight" in widget.objects_panel.status.text()


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
