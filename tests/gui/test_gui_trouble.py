"""What goes wrong while predicting leaves the window usable and says what to do."""

import os
import signal
import threading

import numpy as np
import psutil
import pytest
from gui_engine import ENDLESS, KeptEngine
from gui_threshold import saved_threshold_model
from napari.utils.progress import progress

from napari_unet.engine import Engine
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget
from napari_unet.images import Region
from napari_unet.inference.events import TileDone


@pytest.fixture(scope="module")
def endless():
    engine = KeptEngine(command=ENDLESS)
    yield engine
    Engine.close(engine)


@pytest.fixture
def engine(endless):
    return endless


@pytest.fixture
def big(viewer, widget):
    """A stack of small tiles, whose prediction does not end by itself."""
    image = np.random.default_rng(0).integers(0, 1000, (1024, 1024), np.uint16)
    widget.prediction_panel.controls.form.set("tile", 256)
    stack = np.stack([image] * 12)
    layer = viewer.add_image(stack, name="big")
    widget.image_panel.slices.setCurrentIndex(1)
    return layer


def started(widget, qtbot) -> None:
    widget.prediction_panel.controls.predict.click()
    assert widget.prediction_panel.running
    qtbot.wait_until(lambda: widget.prediction_panel.controls.progress.value() > 0)


def ended(widget, qtbot) -> str:
    qtbot.wait_until(lambda: not widget.prediction_panel.running)
    assert widget.prediction_panel.controls.predict.isEnabled()
    assert not widget.prediction_panel.controls.cancel.isEnabled()
    assert not widget.prediction_panel.controls.progress.isVisible()
    return widget.prediction_panel.controls.status.text()


def test_cancel(viewer, widget, qtbot, big, notified):
    started(widget, qtbot)
    prediction = widget.prediction_panel._prediction
    qtbot.wait_until(lambda: prediction._planes > 0)
    widget.prediction_panel.controls.cancel.click()
    assert ended(widget, qtbot) == "Cancelled. 1 of 12 slices are done and stay."
    done = viewer.layers["big instances"].data.any((1, 2))
    assert done.tolist() == [True] + [False] * 11
    assert notified == []


def test_measuring_meanwhile_leaves_cancel(widget, qtbot, big):
    controls = widget.prediction_panel.controls
    started(widget, qtbot)
    controls.form.measure.click()
    assert "Drag a line" in controls.status.text()
    assert controls.cancel.isEnabled()
    assert not controls.predict.isEnabled()
    controls.form.measure.click()
    controls.cancel.click()
    ended(widget, qtbot)


def test_cancel_before_anything_is_sent(widget, qtbot, big, notified):
    widget.prediction_panel.start()
    widget.prediction_panel.cancel()
    assert "Cancelled. 0 of 12" in ended(widget, qtbot)
    assert notified == []


def test_image_removed_while_predicting(viewer, widget, qtbot, big, notified):
    started(widget, qtbot)
    viewer.layers.remove(big)
    ended(widget, qtbot)
    assert notified == []
    assert [x for x in viewer.layers if x.name == "big"] == []


def test_image_given_other_axes_while_predicting(
    viewer, widget, qtbot, big, predict, notified
):
    started(widget, qtbot)
    prediction = widget.prediction_panel._prediction
    qtbot.wait_until(lambda: prediction._planes > 0)
    big.data = big.data[0]
    assert "'big' has other axes now" in ended(widget, qtbot)
    assert notified == []
    assert "object" in predict()
    assert viewer.layers[-1].ndim == 2


def test_thousands_of_tiles_that_wait_are_taken(widget, qtbot, big, notified):
    started(widget, qtbot)
    prediction = widget.prediction_panel._prediction

    def tell():
        for i in range(2000):
            prediction._event.emit(TileDone(Region(0, 0, 1, 1), 1 + i % 5, 192 + i % 2))

    # All of them wait, as where the window was busy for long.
    thread = threading.Thread(target=tell)
    thread.start()
    thread.join()
    widget.prediction_panel.controls.cancel.click()
    assert "Cancelled" in ended(widget, qtbot)
    assert notified == []


def test_engine_killed(viewer, widget, qtbot, predict, big, blobs, notified):
    started(widget, qtbot)
    os.kill(widget.session.engine.pid, signal.SIGKILL)
    ended(widget, qtbot)
    assert len(notified) == 1

    viewer.layers.clear()
    viewer.add_image(blobs, name="field")
    assert predict().startswith("4 objects")


def test_viewer_closed_while_predicting(make_napari_viewer, model, qtbot):
    viewer = make_napari_viewer(show=True)
    session_of(viewer).engine = Engine(command=ENDLESS)
    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget)
    widget.prediction_panel.models.choose_folder(model)
    viewer.add_image(np.zeros((12, 1024, 1024), np.uint8))
    widget.image_panel.slices.setCurrentIndex(1)
    widget.prediction_panel.controls.form.set("tile", 256)
    started(widget, qtbot)
    engine = psutil.Process(widget.session.engine.pid)

    viewer.close()
    qtbot.wait_until(lambda: not engine.is_running())


def test_panel_closed_while_predicting(viewer, widget, qtbot, big, notified):
    before = set(progress._all_instances)
    started(widget, qtbot)
    assert set(progress._all_instances) > before
    session = widget.session
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    qtbot.wait_until(lambda: session.widget is None)
    qtbot.wait_until(lambda: set(progress._all_instances) <= before)
    assert notified == []


def test_no_image(viewer, widget, blobs, qtbot, notified):
    widget.prediction_panel.controls.predict.click()
    assert "There is no image yet" in notified[0]
    assert "There is no image yet" in ended(widget, qtbot)
    viewer.add_image(blobs)
    assert widget.prediction_panel.controls.status.text() == ""


def test_channels_that_do_not_fit(viewer, widget, qtbot, predict, notified):
    viewer.add_image(np.zeros((32, 32, 3), np.uint8), name="colour", rgb=True)
    said = predict()
    assert "has 3 channels" in said
    assert notified == [f"ERROR: {said}"]
    widget.image_panel.channels.box.setCurrentIndex(1)
    assert widget.prediction_panel.controls.status.text() == ""
    assert "object" in predict()
    widget.image_panel.channels.box.setCurrentIndex(2)
    assert "object" in widget.prediction_panel.controls.status.text()


def test_model_that_is_gone(viewer, widget, predict, blobs, notified, tmp_path):
    folder = saved_threshold_model(tmp_path / "mine")
    widget.prediction_panel.models.choose_folder(folder)
    (folder / "model.json").unlink()
    viewer.add_image(blobs)
    widget.prediction_panel.controls.predict.click()
    assert "mine" in notified[0]
    assert not widget.prediction_panel.running


def test_damaged_weights(viewer, widget, predict, blobs, notified, tmp_path):
    folder = saved_threshold_model(tmp_path / "mine")
    # Before it is chosen: a model that the engine has loaded stays good.
    (folder / "weights.safetensors").write_bytes(b"broken")
    widget.prediction_panel.models.choose_folder(folder)
    viewer.add_image(blobs)
    assert "damaged" in predict()
    assert len(viewer.layers) == 1
    assert "damaged" in notified[0]
