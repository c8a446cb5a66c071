import numpy as np
import pytest
from gui_annotate import keep_in, open_again
from gui_mouse import Mouse
from qtpy.QtCore import Qt

from napari_unet.annotation import AnnotationStore
from napari_unet.gui.session import session_of


@pytest.fixture
def annotations(viewer, widget, tmp_path):
    annotations = keep_in(viewer, tmp_path)
    yield annotations
    annotations.close()


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


@pytest.fixture
def mouse(viewer) -> Mouse:
    return Mouse(viewer)


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
    qtbot.wait_until(lambda: image.key and store.path(image.key).exists(), timeout=2500)
    qtbot.wait_until(lambda: not annotations._autosave.unsaved, timeout=2500)
    other = make_napari_viewer(show=True)
    line = open_again(other, blobs, engine, tmp_path).annotate_panel.kept_line
    qtbot.wait_until(line.isVisible)
    line.go_on.click()
    qtbot.wait_until(lambda: "again accepted" in other.layers)
    np.testing.assert_array_equal(other.layers["again objects"].data, layer.data)
    np.testing.assert_array_equal(other.layers["again accepted"].data, outline)
    again = session_of(other).annotations.images[0].annotation
    np.testing.assert_array_equal(again.verified.dense(), expected)
