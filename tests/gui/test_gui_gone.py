"""Windows and viewers that go while something is under way for them."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from gui_annotate import BACKGROUND, FIRST
from gui_live import paint_both
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtWidgets import QApplication

from napari_unet.annotation import Annotation, image_key
from napari_unet.engine import Engine
from napari_unet.errors import EngineError, ImageError
from napari_unet.gui.annotate import restoring
from napari_unet.gui.explore import explorer
from napari_unet.gui.explore.explorer import ModelExplorer
from napari_unet.gui.predict.planes import Job, predict_planes
from napari_unet.gui.predict.recent import remember_model
from napari_unet.gui.session import session_of
from napari_unet.gui.train.feed import Feed
from napari_unet.gui.train.preview import Previews, View
from napari_unet.gui.train.subject import SharedImage, Subject
from napari_unet.gui.widget import UnetWidget
from napari_unet.images import Image, Region, image_from_array
from napari_unet.inference import PredictConfig
from napari_unet.models import Normalisation, load_model, read_spec
from napari_unet.training import Checkpointed, Checkpoints


@pytest.fixture
def held(monkeypatch):
    """Hold a function up, until the event is set, after it has begun."""
    gates = []

    def hold(module, name):
        work, began, go = getattr(module, name), threading.Event(), threading.Event()
        gates.append(go)

        def held_up(*args):
            began.set()
            assert go.wait(60)
            return work(*args)

        monkeypatch.setattr(module, name, held_up)
        return began, go

    yield hold
    for gate in gates:
        gate.set()


def destroy(viewer, widget, qtbot):
    """Close a dock, as its cross does, and wait until Qt's objects are gone with it."""
    with qtbot.wait_signal(widget.destroyed):
        viewer.window.remove_dock_widget(widget)


def end(go, qtbot):
    """Let what is held up end, and what it has to tell arrive."""
    pool = QThreadPool.globalInstance()
    with qtbot.capture_exceptions() as raised:
        go.set()
        qtbot.wait_until(lambda: not pool.activeThreadCount())
        QApplication.processEvents()
    assert raised == []


def test_a_panel_that_is_closed_leaves_the_keys_to_the_next_one(
    viewer, widget, painted, mouse, qtbot
):
    _, layer = painted
    destroy(viewer, widget, qtbot)
    viewer.window.add_dock_widget(UnetWidget(viewer), name="U-Net")
    for key, label in ((Qt.Key.Key_1, BACKGROUND), (Qt.Key.Key_2, FIRST)):
        mouse.key(key, Qt.KeyboardModifier.ShiftModifier)
        assert layer.selected_label == label


def test_the_panel_goes_while_kept_labels_are_looked_up(
    viewer, widget, annotations, store, blobs, qtbot, held
):
    image = image_from_array(blobs)
    annotation = Annotation.of(image)
    annotation.write_scribbles(Region(5, 5, 9, 9), FIRST)
    store.save(image_key(image), annotation, annotations.scheme)
    began, go = held(restoring, "look_up")
    viewer.add_image(blobs, name="field")
    qtbot.wait_until(began.is_set)
    destroy(viewer, widget, qtbot)
    end(go, qtbot)


@pytest.mark.parametrize("fails", [False, True])
def test_the_explorer_goes_while_maps_are_computed(
    viewer, model, engine, blobs, qtbot, held, monkeypatch, fails
):
    session_of(viewer).engine = engine
    remember_model(model)
    viewer.add_image(blobs, name="field")
    dock = ModelExplorer(viewer)
    viewer.window.add_dock_widget(dock, name="Model explorer")
    dock.nets.setCurrentIndex(dock.nets.findData(str(model)))
    if fails:
        monkeypatch.setattr(explorer, "look_inside", lambda *_: 1 / 0)
    began, go = held(explorer, "look_inside")
    dock.show_maps(2)
    qtbot.wait_until(began.is_set)
    destroy(viewer, dock, qtbot)
    end(go, qtbot)


def test_the_viewer_closes_while_training_and_next_wait_for_the_engine(
    viewer, widget, user, qtbot, held, notified
):
    paint_both(viewer.layers["field scribbles"])
    began, go = held(user.live.feed, "_decide")
    user.panel.train.next.click()
    qtbot.wait_until(began.is_set)
    user.choose_base("The chosen model")
    user.panel.train.start.click()
    widget.session.close()
    end(go, qtbot)
    assert notified == []


def test_the_panel_goes_while_a_checkpoint_is_looked_at(viewer, widget, user, qtbot):
    paint_both(viewer.layers["field scribbles"])
    user.keep_often()
    user.start()
    user.wait(lambda: user.of(Checkpointed))
    user.stop()
    user.panel.checkpoints.chosen.emit(user.of(Checkpointed)[0].name)
    user.wait(lambda: "field checkpoint" in viewer.layers)
    layer = viewer.layers["field checkpoint"]
    destroy(viewer, widget, qtbot)
    with qtbot.capture_exceptions() as raised:
        layer.visible = False
        layer.visible = True
        qtbot.wait(300)
    assert raised == []


class Fading:
    """Pixels that cannot be read any more after some reads."""

    def __init__(self, pixels, reads, error):
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim
        self._pixels, self._left, self._error = pixels, reads, error

    def __getitem__(self, index):
        self._left -= 1
        if self._left < 0:
            raise self._error
        return self._pixels[index]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("The drive is gone."), "drive is gone"),
        (MemoryError(), "'field' is too large for the memory"),
    ],
)
def test_an_image_that_goes_while_it_is_read_leaves_nothing_behind(
    engine, model, blobs, error, said
):
    # Once to measure the brightness, and then no more.
    image = Image(Fading(blobs, 1, error), "YX", "field")
    labels = Annotation.of(image)
    subject = Subject("field", image, (0,), Normalisation(), labels, planes=({},))
    feed = Feed(engine, lambda key, split: None)
    engine.start()
    folder = Path(engine.array((1,), np.uint8).path).parent
    before = sorted(folder.iterdir())
    with pytest.raises(ImageError, match=said):
        feed.send(subject).result(60)
    assert sorted(folder.iterdir()) == before
    image = Image(Fading(blobs, 1, error), "YX", "field")
    config = PredictConfig(device="cpu")
    job = Job(image, [{}], str(model), read_spec(model), config)
    with pytest.raises(ImageError, match=said):
        list(predict_planes(engine, job, lambda _: True))
    assert sorted(folder.iterdir()) == before
    feed.close()


def test_an_image_that_the_engine_does_not_take_leaves_nothing_behind(
    engine, blobs, monkeypatch
):
    def fail(request):
        raise EngineError("The engine has ended.")

    image = Image(blobs, "YX", "field")
    subject = Subject("field", image, (0,), Normalisation(), Annotation.of(image))
    feed = Feed(engine, lambda key, split: None)
    engine.start()
    folder = Path(engine.array((1,), np.uint8).path).parent
    before = sorted(folder.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(engine, "ask", fail)
        with pytest.raises(EngineError):
            feed.send(subject).result(60)
    assert sorted(folder.iterdir()) == before
    feed.send(subject).result(60)
    feed.remove("field").result(60)
    assert sorted(folder.iterdir()) == before
    feed.close()


def test_previews_that_are_closed_leave_nothing_behind(
    engine, blobs, model, tmp_path, qtbot
):
    kept = Checkpoints(tmp_path).keep(load_model(model), step=1, score=None)
    image = Image(blobs, "YX", "field")
    subject = Subject("field", image, (0,), Normalisation(), Annotation.of(image))
    feed = Feed(engine, lambda key, split: None)
    engine.start()
    folder = Path(engine.array((1,), np.uint8).path).parent
    before = set(folder.iterdir())
    previews = Previews(engine, feed)
    checkpoint = str(tmp_path / kept.name)
    with qtbot.wait_signal(previews.seen):
        previews.show(View(None, subject, image.whole(), PredictConfig(), checkpoint))
    feed.remove("field").result(60)
    assert len(set(folder.iterdir()) - before) == 2
    previews.close()
    qtbot.wait_until(lambda: set(folder.iterdir()) == before)
    feed.close()


def test_no_engine_is_started_to_forget_an_image(blobs, tmp_path):
    image = Image(blobs, "YX", "field")
    subject = Subject("field", image, (0,), Normalisation(), Annotation.of(image))
    with Engine(tmp_path) as engine:
        feed = Feed(engine, lambda key, split: None)
        feed.send(subject).result(60)
        folder = Path(engine.array((1,), np.uint8).path).parent
        process = psutil.Process(engine.pid)
        process.kill()
        process.wait()
        before = set(folder.glob("*.npy"))
        feed.remove("field").result(60)
        assert engine.pid is None
        assert len(before - set(folder.glob("*.npy"))) == 1
        feed.close()


def test_labels_of_an_image_whose_axes_were_named_anew_are_sent_by_these(engine):
    pixels = np.zeros((6, 40, 40), np.uint8)
    feed = Feed(engine, lambda key, split: None)
    for axes in ("ZYX", "TYX"):
        # Looked at before it was annotated, and then annotated.
        image = Image(pixels, axes, "film")
        labels = Annotation.of(image)
        if axes == "TYX":
            labels.write_scribbles(Region(0, 0, 9, 9, {"T": 4}), 2)
        feed.send(Subject("film", image, (0,), Normalisation(), labels)).result(60)
    feed.remove("film").result(60)
    feed.close()


def test_a_model_of_another_normalisation_sees_other_brightness(engine, blobs):
    image = Image(blobs, "YX", "field")
    subject = Subject("field", image, (0,), Normalisation(), Annotation.of(image))
    shared = SharedImage.of(subject, engine)
    assert shared.shows(replace(subject, labels=Annotation.of(image)))
    other = replace(subject, normalisation=Normalisation(low=30.0, high=90.0))
    assert not shared.shows(other)
    shared.pixels.remove()
