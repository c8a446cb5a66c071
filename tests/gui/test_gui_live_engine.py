"""The engine dies or is closed while it trains."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np
import psutil
import pytest
from gui_live import CELL, dab, paint_both, said, save_small_model

from napari_unet.annotation import AnnotationStore
from napari_unet.engine import Engine
from napari_unet.engine.messages import RolledBackTo
from napari_unet.gui.predict.recent import recent_models
from napari_unet.images import Region
from napari_unet.training import Checkpointed, Checkpoints


@pytest.fixture
def engine():
    with Engine() as engine:
        yield engine


TRAIN_AND_END = """
import sys
from pathlib import Path
import napari
import numpy as np
from napari_unet.gui.widget import UnetWidget
from qtpy.QtTest import QTest

viewer = napari.Viewer()
widget = UnetWidget(viewer)
viewer.window.add_dock_widget(widget, name="U-Net")
widget.prediction_panel.models.choose_folder(Path(sys.argv[1]))
viewer.add_image(np.random.default_rng(0).random((64, 64)))
widget.annotate_panel.annotate.click()
while not widget.session.annotations.images:
    QTest.qWait(10)
scribbles = widget.session.annotations.images[0].scribbles
scribbles.paint((20, 20), 2)
scribbles.paint((40, 40), 1)
widget.live_panel.train.start.click()
while widget.session.live.state != "training":
    QTest.qWait(10)
"""

KILL = """
import os, signal
while widget.session.annotations.keeping.unsaved:
    QTest.qWait(10)
print(widget.session.engine.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_was_learnt_is_kept_and_offered_when_napari_is_killed(
    tmp_path, monkeypatch
):
    folders = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("DATA", "STATE")}
    killed = subprocess.run(
        [
            *(sys.executable, "-c", TRAIN_AND_END + KILL),
            save_small_model(tmp_path / "small"),
        ],
        env={**os.environ, **folders},
        stdout=subprocess.PIPE,
        text=True,
        timeout=240,
    )
    assert killed.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(killed.stdout.split()[-1])).wait(60)
    (kept,) = (tmp_path / "napari-unet").glob("models/*/step-*")
    for name, folder in folders.items():
        monkeypatch.setenv(name, folder)
    assert recent_models()[0] == kept


def test_python_may_end_while_it_trains(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", TRAIN_AND_END, save_small_model(tmp_path / "small")],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    data = tmp_path / "napari-unet"
    (kept,) = data.glob("models/*/step-*")
    assert Checkpoints(kept.parent).load(kept.name)
    store = AnnotationStore(data / "annotations")
    (key,) = (folder.name for folder in store.folder.iterdir())
    annotation, _ = store.load(key)
    assert annotation.scribbles.dense()[20, 20] == CELL


def die_with_a_checkpoint(user, scribbles, engine):
    """Train until one is kept, then kill the engine."""
    paint_both(scribbles)
    user.keep_often()
    user.start()
    user.wait(lambda: user.of(Checkpointed))
    os.kill(engine.pid, signal.SIGKILL)
    user.wait(lambda: user.live.state == "idle")


def test_it_is_killed_and_starts_again(user, scribbles, engine, notified):
    paint_both(scribbles)
    user.start()
    user.more_steps(3)
    labels = user.widget.session.annotations.images[0].annotation
    before = labels.split.read(Region(0, 0, 60, 80))
    assert (before > 0).any()
    os.kill(engine.pid, signal.SIGKILL)
    user.wait(lambda: user.live.state == "idle")
    assert said(user, notified, "What you painted is safe")
    assert (scribbles.data > 0).sum() == 100

    dab(scribbles, CELL, (10, 55))
    user.start()
    assert user.live.state == "training"
    user.wait(lambda: user.steps[-1].labelled > 75)
    # What was learnt from before must not judge now, nor the other way round.
    after = labels.split.read(Region(0, 0, 60, 80))
    assert np.array_equal(after[before > 0], before[before > 0])
    user.more_previews(1)
    user.stop()


def test_it_leaves_the_best_model_when_it_dies(user, scribbles, engine, widget):
    die_with_a_checkpoint(user, scribbles, engine)
    kept = user.of(Checkpointed)
    best = [e for e in kept if e.best] or kept
    assert widget.prediction_panel.models.model == str(
        user.live.outcome.plan.folder / best[-1].name
    )
    user.panel.train.next.click()
    user.wait(lambda: "Least sure" in user.panel.train.verdict.text())


def test_it_shows_checkpoints_and_goes_back_to_one_when_it_has_died(
    user, scribbles, engine, widget, viewer
):
    die_with_a_checkpoint(user, scribbles, engine)
    name = user.of(Checkpointed)[0].name
    user.panel.checkpoints.chosen.emit(name)
    user.wait(lambda: "field checkpoint" in viewer.layers)
    kept = len(user.of(Checkpointed))
    user.panel.checkpoints.rolled_back.emit(name)
    user.wait(lambda: user.of(RolledBackTo))
    assert len(user.of(Checkpointed)) == kept + 1
    last = user.of(Checkpointed)[-1].step
    user.start("Go on with the last training")
    assert user.steps[-1].step > last
    user.stop()


def test_it_keeps_the_last_weights_when_the_viewer_closes(
    user, scribbles, widget, tmp_path, monkeypatch
):
    monkeypatch.setattr("napari_unet.gui.train.live._FAREWELL", 60.0)
    paint_both(scribbles)
    user.start()
    image = widget.session.annotations.images[0]
    user.more_steps(3)
    folder = user.live.outcome.plan.folder
    widget.session.close()
    assert [*folder.glob("step-*/model.json")]
    kept, _ = AnnotationStore(tmp_path / "kept").load(image.key)
    assert kept.counts(2).tolist() == [50, 50]
    assert not user.live.running
