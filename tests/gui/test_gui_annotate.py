import numpy as np
import pytest
from qtpy.QtCore import Qt

from gui_mouse import Mouse
from napari_unet.annotation import AnnotationStore
from napari_unet.gui.session import session_of

BACKGROUND, FIRST = 1, 2


@pytest.fixture
def annotations(viewer, widget, tmp_path):
    """What is labelled in the viewer; it is kept in a folder of this test."""
    annotations = session_of(viewer).annotations
    annotations._store = AnnotationStore(tmp_path / "kept")
    yield annotations
    annotations.close()


@pytest.fixture
def store(tmp_path) -> AnnotationStore:
    """The same folder, read by somebody else."""
    return AnnotationStore(tmp_path / "kept")


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
    viewer, panel, annotations, store, mouse, qtbot, blobs
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

    # Somebody removes both layers and opens the same image again.
    drawn = layer.data.copy()
    viewer.layers.clear()
    assert annotations.images == []
    viewer.add_image(blobs, name="again")
    qtbot.wait_until(panel.kept_line.isVisible)
    assert "object" in panel.kept_line.text.text()
    panel.kept_line.go_on.click()
    qtbot.wait_until(lambda: len(viewer.layers) == 2)
    np.testing.assert_array_equal(viewer.layers["again scribbles"].data, drawn)
    assert not panel.kept_line.isVisible()
    assert panel.classes.rows[1].count.text() == f"{(drawn == FIRST).sum()} px"
