import subprocess
import sys

import numpy as np
import pytest
from gui_annotate import keep_in, open_again
from gui_mouse import Mouse
from qtpy.QtCore import Qt

from napari_unet.annotation import AnnotationStore
from napari_unet.gui.session import session_of
from napari_unet.images import write_labels

BACKGROUND, FIRST = 1, 2


@pytest.fixture
def annotations(viewer, widget, tmp_path):
    """What is labelled in the viewer; it is kept in a folder of this test."""
    annotations = keep_in(viewer, tmp_path)
    yield annotations
    annotations.close()


@pytest.fixture
def store(tmp_path) -> AnnotationStore:
    """The same folder, read by somebody else."""
    return AnnotationStore(tmp_path)


@pytest.fixture
def panel(widget, annotations):
    return widget.annotate_panel


@pytest.fixture
def mouse(viewer) -> Mouse:
    return Mouse(viewer)


def same(image, layer) -> bool:
    return np.array_equal(image.annotation.scribbles.dense(), layer.data)


def on_disk(store, image, layer) -> bool:
    if image.key is None or not store.path(image.key).exists():
        return False
    return np.array_equal(store.load(image.key)[0].scribbles.dense(), layer.data)


def test_a_stroke_is_on_disk_soon_and_back_in_the_next_session(
    viewer,
    panel,
    annotations,
    store,
    mouse,
    qtbot,
    blobs,
    tmp_path,
    engine,
    make_napari_viewer,
):
    viewer.add_image(blobs, name="field")
    panel.annotate.click()
    layer = viewer.layers["field scribbles"]
    assert viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    assert layer.dtype == np.uint8

    viewer.scene.camera.zoom = 4
    mouse.draw((10, 12), (10, 20))
    mouse.key(Qt.Key.Key_1, Qt.KeyboardModifier.ShiftModifier)
    mouse.draw((50, 2), (50, 40))

    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    assert set(np.unique(layer.data)) == {0, BACKGROUND, FIRST}
    assert layer.data[10, 15] == FIRST
    assert layer.data[50, 20] == BACKGROUND
    qtbot.wait_until(lambda: on_disk(store, image, layer), timeout=2500)
    assert store.load(image.key)[1] == annotations.scheme

    other = make_napari_viewer(show=True)
    panel = open_again(other, blobs, engine, tmp_path).annotate_panel
    qtbot.wait_until(panel.kept_line.isVisible)
    assert "cell" in panel.kept_line.text.text()
    assert not panel.annotate.isVisible()
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: len(other.layers) == 2)
    np.testing.assert_array_equal(other.layers["again scribbles"].data, layer.data)
    assert not panel.kept_line.isVisible()
    count = panel.classes.rows[1].count.text()
    assert count == f"{(layer.data == FIRST).sum()} px"


@pytest.fixture
def painted(viewer, panel, annotations, mouse, qtbot, blobs):
    """An image with one stroke of the first class, its layer, its annotation."""
    viewer.add_image(blobs, name="field")
    panel.annotate.click()
    layer = viewer.layers["field scribbles"]
    layer.paint((10, 15), FIRST)
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    return image, layer


def test_undo_and_redo_are_followed(viewer, painted, mouse, qtbot):
    image, layer = painted
    stroke = layer.data.copy()
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait_until(lambda: not image.annotation.scribbles.keys())
    assert not layer.data.any()
    layer.redo()
    qtbot.wait_until(lambda: same(image, layer))
    np.testing.assert_array_equal(layer.data, stroke)


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


def test_a_removed_scribbles_layer_comes_back(viewer, panel, annotations, painted):
    image, layer = painted
    layer.paint((50, 60), FIRST)
    viewer.layers.remove(layer)
    panel.annotate.click()
    again = viewer.layers["field scribbles"]
    assert again is not layer
    np.testing.assert_array_equal(again.data, layer.data)
    assert annotations.images == [image]


def test_strokes_on_a_slice_of_a_stack(viewer, panel, annotations, qtbot, blobs):
    viewer.add_image(np.stack([blobs] * 5), name="stack", axis_labels=("z", "y", "x"))
    viewer.dims.set_current_step(0, 3)
    panel.annotate.click()
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


def test_channels_are_painted_once(viewer, panel, annotations, qtbot, blobs):
    rgb = np.repeat((blobs // 20).astype(np.uint8)[..., None], 3, axis=-1)
    viewer.add_image(rgb, name="colour", rgb=True)
    panel.annotate.click()
    layer = viewer.layers["colour scribbles"]
    layer.paint((10, 15), FIRST)
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    assert layer.data.shape == blobs.shape


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


def test_a_full_disk_is_said_once_and_tried_again(
    viewer, panel, annotations, store, tmp_path, qtbot, notified, blobs
):
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    annotations._store = AnnotationStore(blocked)
    annotations._saver()._retry = 0.1
    viewer.add_image(blobs, name="field")
    panel.annotate.click()
    layer = viewer.layers["field scribbles"]
    layer.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: any("cannot be saved" in text for text in notified))
    layer.paint((40, 40), FIRST)
    qtbot.wait(400)
    assert sum("cannot be saved" in text for text in notified) == 1
    blocked.unlink()
    image = annotations.images[0]
    qtbot.wait_until(lambda: on_disk(annotations._store, image, layer))


def test_the_same_pixels_twice_are_kept_apart(
    viewer, panel, annotations, painted, qtbot, blobs
):
    first, _ = painted
    viewer.add_image(blobs, name="copy")
    panel.annotate.click()
    second = annotations.images[1]
    qtbot.wait_until(lambda: bool(first.key and second.key))
    assert first.key != second.key


def test_the_window_may_close_right_after_a_stroke(
    viewer, panel, annotations, store, painted
):
    image, layer = painted
    image.key = "field"
    layer.paint((50, 60), FIRST)
    session_of(viewer).close()
    assert on_disk(store, image, layer)


def test_the_window_may_close_before_the_key_of_the_image_is_known(
    viewer, panel, annotations, store, painted
):
    image, layer = painted
    image.key = None
    layer.paint((50, 60), FIRST)
    session_of(viewer).close()
    assert on_disk(store, image, layer)


PAINT_AND_END = """
import sys
import napari
import numpy as np
from napari_unet.annotation import AnnotationStore
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget
from qtpy.QtTest import QTest

viewer = napari.Viewer()
annotations = session_of(viewer).annotations
annotations._store = AnnotationStore(sys.argv[1])
widget = UnetWidget(viewer)
viewer.window.add_dock_widget(widget, name="U-Net")
viewer.add_image(np.random.default_rng(0).random((64, 64)))
QTest.qWait(500)
widget.annotate_panel.annotate.click()
annotations.images[0].scribbles.paint((20, 20), 2)
"""


def test_python_may_end_with_the_window_open(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", PAINT_AND_END, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    store = AnnotationStore(tmp_path)
    (key,) = (folder.name for folder in tmp_path.iterdir())
    annotation, _ = store.load(key)
    assert annotation.scribbles.dense()[20, 20] == 2


@pytest.mark.parametrize("start", ["layer", "file"])
def test_labels_from_elsewhere(
    viewer, panel, annotations, painted, qtbot, blobs, tmp_path, notified, start
):
    image, _ = painted
    mask = (blobs > 2000).astype(np.uint8) * 255
    section = panel.take_in
    if start == "layer":
        viewer.add_labels(mask, name="mask")
        section.source.setCurrentText("mask")
    else:
        write_labels(tmp_path / "mask.tif", mask, "YX")
        section.choose_file(tmp_path / "mask.tif")
    section.as_scribbles.click()
    assert "Add the missing classes" in notified[-1]
    section.complete.setChecked(True)
    section.as_scribbles.click()
    layer = viewer.layers["field scribbles"]
    np.testing.assert_array_equal(layer.data, np.where(mask, FIRST, BACKGROUND))
    assert same(image, layer)
    section.as_objects.click()
    objects = viewer.layers["field objects"]
    np.testing.assert_array_equal(objects.data > 0, mask > 0)
    assert image.annotation.verified.dense().all()


def test_labels_of_another_size_are_refused(viewer, panel, painted, notified):
    viewer.add_labels(np.ones((5, 5), np.uint8), name="small")
    panel.take_in.source.setCurrentText("small")
    panel.take_in.as_objects.click()
    assert "5 x 5" in notified[-1]
