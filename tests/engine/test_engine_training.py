"""Live training through the real engine process."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from engine_training_scene import Scene, base, config, train

from napari_unet.engine import Engine
from napari_unet.engine.messages import (
    MostUncertain,
    PauseTraining,
    Previewed,
    RemoveImage,
    RollBack,
    RolledBackTo,
    StopTraining,
    UncertainRegion,
)
from napari_unet.errors import EngineError, TrainingError
from napari_unet.images import Region
from napari_unet.inference import TileDone
from napari_unet.models import ARCHITECTURES, load_model
from napari_unet.training import Checkpointed, Stepped, Stopped, Validated

# Seconds.
PATIENCE = 120


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("logs")) as engine:
        yield engine


@pytest.fixture
def scene(engine):
    scene = Scene(engine.share)
    engine.ask(scene.add())
    yield scene
    engine.ask(RemoveImage(scene.key))


class Course(threading.Thread):
    """A training whose events are collected in a thread, as a viewer does."""

    def __init__(self, engine, request):
        super().__init__(daemon=True)
        self.events = []
        self.error = None
        self.id = request.id
        self._engine, self._request = engine, request
        self._more = threading.Condition()
        self.start()

    def run(self):
        try:
            for event in self._engine.request(self._request):
                self._add(event)
        except Exception as error:
            self.error = error
        self._add(None)

    def _add(self, event):
        with self._more:
            self.events.append(event)
            self._more.notify_all()

    def wait_for(self, kind, wanted=lambda event: True):
        """Wait for one more event of a kind that is `wanted`; return it."""
        with self._more:
            begin = len(self.events)

            def found():
                return [
                    e for e in self.events[begin:] if isinstance(e, kind) and wanted(e)
                ]

            assert self._more.wait_for(
                lambda: found() or self.events[-1:] == [None], PATIENCE
            )
            assert found(), self.error
            return found()[0]

    def step(self, wanted=lambda event: True):
        """Wait for a step; what was asked before may not have been heard by then."""
        return self.wait_for(Stepped, wanted)

    def stop(self):
        self._engine.ask(StopTraining(self.id))

    def end(self):
        self.join(PATIENCE)
        assert not self.is_alive()
        return self.events[-2] if len(self.events) > 1 else None


@pytest.fixture
def begin(engine, scene):
    """Begin a training; it is stopped in the end."""
    courses = []

    def begin(request):
        courses.append(Course(engine, request))
        return courses[-1]

    yield begin
    for course in courses:
        course.stop()


def test_from_scratch_with_a_base_of_none(engine, scene, tmp_path):
    engine.ask(scene.paint(0, 1))
    request = train(tmp_path, config=config(steps=2, batch=1, crop=32))
    *_, stopped = engine.request(request)
    assert stopped.step == 2
    assert load_model(tmp_path / "checkpoints" / stopped.last).spec.name == "mine"


def test_paint_watch_it_learn_correct(engine, scene, begin, tmp_path):
    engine.ask(scene.paint(0, 1))
    course = begin(train(tmp_path, base(tmp_path)))
    course.step()
    first = engine.ask(scene.preview())
    before = scene.semantic.open("r").copy()
    assert isinstance(first, Previewed)

    course.step(lambda e: e.step >= first.step + 60)
    later = engine.ask(scene.preview())
    assert later.step > first.step
    assert (scene.semantic.open("r") != before).any()
    assert scene.right() > 0.9
    assert later.objects == len(np.unique(scene.instances.open("r"))) - 1 > 3

    labelled = course.step().labelled
    other = Scene(engine.share, "b", seed=5)
    engine.ask(other.add())
    engine.ask(other.paint(0, 1, region=Region(0, 0, 96, 160)))
    course.step(lambda e: e.labelled > labelled)
    *tiles, found = engine.request(
        MostUncertain(
            (
                ("a", {}),
                ("b", {}),
            )
        )
    )
    assert all(isinstance(e, TileDone) for e in tiles)
    assert isinstance(found, UncertainRegion)
    assert found.key == "b"
    engine.ask(RemoveImage("b"))

    validated = course.wait_for(Validated)
    assert len(validated.dice) == 2
    course.stop()
    stopped = course.end()
    assert isinstance(stopped, Stopped)
    assert course.error is None

    kept = [e.name for e in course.events if isinstance(e, Checkpointed)]
    assert kept[-1] == stopped.last
    best = str(tmp_path / "checkpoints" / stopped.best)
    assert isinstance(engine.ask(scene.preview(checkpoint=best)), Previewed)
    assert engine.ask(RollBack(best)) == RolledBackTo(stopped.best)
    assert isinstance(engine.ask(scene.preview(model=base(tmp_path))), Previewed)


@pytest.mark.parametrize("net", ["patches", "fcn-8s"])
def test_other_nets_are_trained_and_previewed_too(engine, scene, begin, tmp_path, net):
    engine.ask(scene.paint(0, 1))
    course = begin(train(tmp_path, net))
    course.step(lambda e: e.step >= 2)
    assert isinstance(engine.ask(scene.preview()), Previewed)
    course.stop()
    stopped = course.end()
    assert course.error is None
    model = load_model(tmp_path / "checkpoints" / stopped.last)
    assert model.spec.architecture == ARCHITECTURES[net]
    assert scene.semantic.open("r").max() <= 1


def test_pause_and_go_on(engine, scene, begin, tmp_path):
    engine.ask(scene.paint(0, 1))
    course = begin(train(tmp_path, base(tmp_path)))
    course.step(lambda e: e.step >= 2)
    engine.ask(PauseTraining(course.id, True))
    at = engine.ask(scene.preview()).step
    # Many turns of the engine in which a training that is not paused would step.
    for _ in range(5):
        engine.ask(scene.paint(0, 1))
    assert engine.ask(scene.preview()).step == at
    engine.ask(PauseTraining(course.id, False))
    course.step(lambda e: e.step > at)
    course.stop()
    assert isinstance(course.end(), Stopped)


def test_a_training_that_fails_leaves_the_engine_usable(engine, scene, tmp_path):
    request = train(tmp_path, base(tmp_path))
    with pytest.raises(TrainingError, match="Nothing is labelled"):
        engine.ask(request)
    engine.ask(scene.paint(1))
    with pytest.raises(TrainingError, match="Only 'cell'"):
        engine.ask(train(tmp_path, base(tmp_path)))
    engine.ask(scene.paint(0, 1))
    stopped = engine.ask(train(tmp_path, base(tmp_path), config=config(steps=1)))
    assert isinstance(stopped, Stopped)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_engine_starts_anew_and_asks_for_the_images(
    engine, scene, begin, tmp_path
):
    engine.ask(scene.paint(0, 1))
    course = begin(train(tmp_path, base(tmp_path)))
    course.step()
    os.kill(engine.pid, signal.SIGKILL)
    course.end()
    assert isinstance(course.error, EngineError)
    with pytest.raises(TrainingError, match="Nothing is labelled"):
        engine.ask(train(tmp_path, base(tmp_path)))
    engine.ask(scene.add())
    engine.ask(scene.paint(0, 1))
    again = train(tmp_path, base(tmp_path), resume=True, config=config(steps=1))
    assert isinstance(engine.ask(again), Stopped)


def test_the_messages_of_training_load_no_torch():
    code = (
        "import sys, napari_unet.engine.messages, napari_unet.training.events, "
        "napari_unet.training.config; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
