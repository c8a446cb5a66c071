from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gui_annotate import FIRST, annotate, keep_in, same
from gui_engine import KeptEngine
from gui_live import LiveUser, save_small_model
from gui_mouse import Mouse
from gui_threshold import saved_threshold_model
from gui_wait import PatientBot
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_unet.annotation import AnnotationStore
from napari_unet.engine import Engine
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.gui)


@pytest.fixture
def qtbot(qapp, request: pytest.FixtureRequest) -> PatientBot:
    """pytest-qt's, with more patience."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_threshold_model(tmp_path_factory.mktemp("models") / "threshold")


@pytest.fixture
def blobs() -> np.ndarray:
    """Four bright squares, ``(Y, X)`` of 60 x 80, uint16."""
    image = np.full((60, 80), 100, np.uint16)
    for y in (5, 35):
        for x in (10, 50):
            image[y : y + 15, x : x + 12] = 4000
    return image


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    yield viewer
    # napari's fixture finds only viewers that something still refers to.
    viewer.close()


@pytest.fixture(scope="session")
def kept_engine() -> Iterator[Engine]:
    engine = KeptEngine()
    yield engine
    Engine.close(engine)


@pytest.fixture
def engine(kept_engine) -> Engine:
    """The engine of `widget`; a test may ask for another one."""
    return kept_engine


@pytest.fixture
def widget(viewer, model, engine, qtbot) -> UnetWidget:
    """The panel, docked, with the tiny model chosen."""
    session_of(viewer).engine = engine
    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget, name="U-Net")
    widget.prediction_panel.models.choose_folder(model)
    return widget


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
    """Where strokes and classes are."""
    return widget.annotate_panel


@pytest.fixture
def mouse(viewer) -> Mouse:
    return Mouse(viewer)


@pytest.fixture
def painted(viewer, panel, annotations, mouse, qtbot, blobs):
    """An image with one stroke of the first class, its layer, its annotation."""
    viewer.add_image(blobs, name="field")
    annotate(panel, qtbot)
    layer = viewer.layers["field scribbles"]
    layer.paint((10, 15), FIRST)
    image = annotations.images[0]
    qtbot.wait_until(lambda: same(image, layer))
    return image, layer


@pytest.fixture
def user(viewer, widget, qtbot, blobs, tmp_path) -> Iterator[LiveUser]:
    """Somebody with an image and the brush in the hand."""
    keep_in(viewer, tmp_path / "kept")
    widget.prediction_panel.models.choose_folder(save_small_model(tmp_path / "small"))
    viewer.add_image(blobs, name="field")
    annotate(widget.annotate_panel, qtbot)
    yield LiveUser(widget, qtbot)
    if widget.session.live.running:
        widget.session.live.stop()
        qtbot.wait_until(lambda: not widget.session.live.running)


@pytest.fixture
def scribbles(viewer, user):
    return viewer.layers["field scribbles"]


@pytest.fixture
def predict(widget, qtbot) -> Callable[[], str]:
    """Press Predict, wait for the end, return what the panel says."""

    def press() -> str:
        with qtbot.wait_signal(widget.prediction_panel.ended) as ended:
            widget.prediction_panel.controls.predict.click()
        return ended.args[0]

    return press


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
def notified() -> Iterator[list[str]]:
    """The texts of napari's notifications."""
    from napari.utils.notifications import notification_manager

    texts: list[str] = []

    def keep(notification) -> None:
        texts.append(str(notification))

    notification_manager.notification_ready.connect(keep)
    yield texts
    notification_manager.notification_ready.disconnect(keep)


@pytest.fixture(autouse=True)
def no_leaked_widgets(request) -> Iterator[None]:
    """Fail a test that leaves a top-level widget behind."""
    app = QApplication.instance()
    before = set(app.topLevelWidgets()) if app else set()
    yield
    app = QApplication.instance()
    if app is None:
        return
    # Deletions only: a closed canvas must not be drawn again.
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [w for w in app.topLevelWidgets() if w not in before]
    assert not left, f"leaked: {left}"
