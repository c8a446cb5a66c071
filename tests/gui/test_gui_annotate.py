import numpy as np
import pytest
from gui_annotate import keep_in, open_again
from gui_mouse import Mouse
from qtpy.QtCore import Qt

from napari_unet.annotation import AnnotationStore

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
    assert "object" in panel.kept_line.text.text()
    assert not panel.annotate.isVisible()
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: len(other.layers) == 2)
    np.testing.assert_array_equal(other.layers["again scribbles"].data, layer.data)
    assert not panel.kept_line.isVisible()
    count = panel.classes.rows[1].count.text()
    assert count == f"{(layer.data == FIRST).sum()} px"
