"""What is painted is on the disk soon, and stays there however all ends."""

import subprocess
import sys
from functools import partial

import numpy as np
from gui_annotate import BACKGROUND, FIRST, annotate, on_disk, open_again, same
from qtpy.QtCore import Qt

from napari_unet.annotation import AnnotationStore, Autosave, image_key
from napari_unet.gui.annotate import keeping
from napari_unet.gui.annotate.keeping import Keeping
from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.session import session_of


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
    annotate(panel, qtbot)
    layer = viewer.layers["field scribbles"]
    assert viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    assert layer.dtype == np.uint8

    camera_of(viewer).zoom = 4
    mouse.draw((10, 12), (10, 20))
    mouse.key(Qt.Key.Key_1, Qt.KeyboardModifier.ShiftModifier)
    mouse.draw((50, 2), (50, 40))

    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    assert set(np.unique(layer.data)) == {0, BACKGROUND, FIRST}
    assert layer.data[10, 15] == FIRST
    assert layer.data[50, 20] == BACKGROUND
    qtbot.wait_until(lambda: on_disk(store, image, layer))
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


class TriedStore(AnnotationStore):
    """Counts how often something was to be saved."""

    tries = 0

    def save(self, *args, **kwargs):
        self.tries += 1
        super().save(*args, **kwargs)


def test_a_full_disk_is_said_once_and_tried_again(
    viewer, panel, annotations, tmp_path, qtbot, notified, blobs, monkeypatch
):
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    store = TriedStore(blocked)
    annotations.keeping = Keeping(store)
    monkeypatch.setattr(keeping, "Autosave", partial(Autosave, retry=0.05))
    viewer.add_image(blobs, name="field")
    annotate(panel, qtbot)
    layer = viewer.layers["field scribbles"]
    layer.paint((10, 15), FIRST)
    qtbot.wait_until(lambda: any("cannot be saved" in text for text in notified))
    layer.paint((40, 40), FIRST)
    more = store.tries + 3
    qtbot.wait_until(lambda: store.tries >= more)
    blocked.unlink()
    image = annotations.images[0]
    qtbot.wait_until(lambda: on_disk(AnnotationStore(blocked), image, layer))
    assert sum("cannot be saved" in text for text in notified) == 1


def test_the_same_pixels_twice_are_kept_apart(
    viewer, panel, annotations, painted, qtbot, blobs
):
    first, _ = painted
    viewer.add_image(blobs, name="copy")
    annotate(panel, qtbot)
    second = annotations.images[1]
    assert first.key != second.key


def test_the_window_may_close_right_after_a_stroke(
    viewer, panel, annotations, store, painted
):
    image, layer = painted
    layer.paint((50, 60), FIRST)
    session_of(viewer).close()
    assert on_disk(store, image, layer)


PAINT_AND_END = """
import sys
import napari
import numpy as np
from napari_unet.annotation import AnnotationStore
from napari_unet.gui.annotate.keeping import Keeping
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget
from qtpy.QtTest import QTest
from napari_unet.gui.image.screen import camera_of

viewer = napari.Viewer()
annotations = session_of(viewer).annotations
annotations.keeping = Keeping(AnnotationStore(sys.argv[1]))
widget = UnetWidget(viewer)
viewer.window.add_dock_widget(widget, name="U-Net")
viewer.add_image(np.random.default_rng(0).random((64, 64)))
widget.annotate_panel.annotate.click()
while not annotations.images:
    QTest.qWait(10)
annotations.images[0].scribbles.paint((20, 20), 2)
"""


def test_python_may_end_with_the_window_open(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", PAINT_AND_END, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    store = AnnotationStore(tmp_path)
    (key,) = (folder.name for folder in tmp_path.iterdir())
    annotation, _ = store.load(key)
    assert annotation.scribbles.dense()[20, 20] == 2


def test_kept_labels_are_not_pushed_aside_without_a_question(
    viewer, widget, panel, annotations, store, painted, qtbot, notified, engine,
    make_napari_viewer, tmp_path,
):  # fmt: skip
    image, layer = painted
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    other = make_napari_viewer(show=True)
    again = open_again(other, image.target.layer.data, engine, tmp_path)
    qtbot.wait_until(again.annotate_panel.kept_line.isVisible)
    again.objects_panel.correct.click()
    assert "Continue where you left off" in notified[-1]
    assert again.annotate_panel.kept_line.isVisible()
    assert again.session.annotations.images == []


def test_annotate_waits_until_it_is_known_what_is_kept(
    viewer, panel, annotations, store, painted, qtbot, notified, engine,
    make_napari_viewer, tmp_path,
):  # fmt: skip
    image, layer = painted
    qtbot.wait_until(lambda: on_disk(store, image, layer))
    other = make_napari_viewer(show=True)
    again = open_again(other, image.target.layer.data, engine, tmp_path)
    assert not again.annotate_panel.kept_line.isVisible()
    again.annotate_panel.annotate.click()
    qtbot.wait_until(again.annotate_panel.kept_line.isVisible)
    assert "again scribbles" not in other.layers
    assert "Continue where you left off" in notified[-1]
    again.annotate_panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: "again scribbles" in other.layers)
    np.testing.assert_array_equal(other.layers["again scribbles"].data, layer.data)
    assert [p.name for p in store.path(image.key).parent.iterdir()] == [
        "annotation.npz"
    ]


def test_another_image_chosen_meanwhile_is_not_annotated(
    viewer, panel, annotations, qtbot, blobs, monkeypatch
):
    restoring = session_of(viewer).restoring
    look_up, looked_up = restoring.look_up, []

    def note(target):
        worker = look_up(target)
        worker.finished.connect(lambda: looked_up.append(target.layer.name))
        return worker

    monkeypatch.setattr(restoring, "look_up", note)
    viewer.add_image(blobs, name="first")
    panel.annotate.click()
    viewer.add_image(blobs[::-1], name="second")
    viewer.layers.selection.active = viewer.layers["second"]
    qtbot.wait_until(lambda: {"first", "second"} <= set(looked_up))
    assert annotations.images == []
    assert annotate(panel, qtbot).name == "second"


def test_labels_are_kept_for_pixels_that_came_after_the_choice(
    viewer, panel, annotations, store, qtbot, blobs
):
    layer = viewer.add_image(blobs, name="field")
    qtbot.wait_until(lambda: panel._kept is not None)
    layer.data = blobs[::-1].copy()
    image = annotate(panel, qtbot)
    assert image.key == image_key(image.target.image)
