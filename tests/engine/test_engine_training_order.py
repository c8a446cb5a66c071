"""What live training does between which two steps, without a process."""

import time

import numpy as np
import torch
from engine_training_scene import base, config, train

from napari_unet.engine.messages import (
    PauseTraining,
    RollBack,
    RolledBackTo,
    StopTraining,
)
from napari_unet.inference import Cancelled
from napari_unet.models import load_model
from napari_unet.training import Checkpointed, Stepped, Stopped, Validated


def test_a_paused_training_does_nothing_until_it_goes_on(desk, scene, training):
    desk.add(PauseTraining(training.id, True))
    desk.rest()
    before = desk.stepped(training)
    assert not desk.ended(training)
    desk.ask(scene.preview())
    desk.ask(scene.paint(0, 1))
    desk.rest()
    assert desk.stepped(training) == before
    desk.add(PauseTraining(training.id, False))
    desk.steps(training, 3)


def test_a_pause_is_no_slow_step(desk, training):
    desk.steps(training, 1)
    desk.add(PauseTraining(training.id, True))
    desk.rest()
    begun = time.perf_counter()
    time.sleep(1)
    desk.add(PauseTraining(training.id, False))
    desk.steps(training, 1)
    after = next(e for e in reversed(desk.events(training)) if isinstance(e, Stepped))
    seconds = time.perf_counter() - begun
    assert after.steps_per_second > desk.stepped(training) / seconds


def test_a_paused_training_can_be_stopped(desk, training):
    desk.add(PauseTraining(training.id, True))
    desk.rest()
    desk.add(StopTraining(training.id))
    desk.rest()
    assert isinstance(desk.events(training)[-1], Stopped)


def test_stopping_keeps_the_best_and_the_last(desk, training):
    desk.steps(training, 20)
    desk.ask(StopTraining(training.id))
    desk.rest()
    *_, kept, stopped = desk.events(training)
    assert isinstance(kept, Checkpointed)
    assert stopped.last == kept.name
    scores = [e.score for e in desk.events(training) if isinstance(e, Validated)]
    assert any(score is not None for score in scores)
    folder = desk.folder / "checkpoints"
    assert load_model(folder / stopped.best).spec.name == "mine"
    load_model(folder / stopped.last)
    assert not desk.state.session.training


def test_a_stop_right_after_the_start_is_not_lost(desk, scene, tmp_path):
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1), request, StopTraining(request.id))
    desk.rest()
    assert isinstance(desk.events(request)[-1], Stopped)


def test_a_stop_before_the_start_lets_nothing_begin(desk, scene, tmp_path):
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1), StopTraining(request.id))
    desk.rest()
    assert desk.ask(request) == []
    assert not (tmp_path / "checkpoints").exists()


def test_orders_to_a_training_that_is_over_do_not_reach_the_next(desk, training):
    desk.ask(StopTraining(training.id))
    desk.rest()
    following = train(desk.folder, resume=True)
    desk.add(following)
    desk.steps(following, 1)
    desk.add(PauseTraining(training.id, True), StopTraining(training.id))
    desk.steps(following, 2)
    desk.ask(StopTraining(following.id))
    desk.rest()


def test_a_cancelled_training_keeps_its_weights(desk, scene, training):
    desk.scheduler.cancel(training.id)
    assert desk.events(training)[-1] == Cancelled()
    assert len(list((desk.folder / "checkpoints").glob("step-*"))) == 1
    desk.ask(scene.preview())
    again = train(desk.folder, resume=True)
    desk.add(again)
    desk.steps(again, 1)
    assert desk.events(again)[0].step == 3


def test_rolling_back_goes_on_from_the_checkpoint(desk, scene, training):
    while not any(isinstance(e, Checkpointed) for e in desk.events(training)):
        desk.scheduler.step()
    kept = next(e for e in desk.events(training) if isinstance(e, Checkpointed))
    kept_in = str(desk.folder / "checkpoints" / kept.name)
    desk.ask(scene.preview(checkpoint=kept_in))
    then = scene.semantic.open("r").copy()
    desk.steps(training, 8)
    desk.add(PauseTraining(training.id, True))
    desk.rest()
    run = desk.state.session.run
    run.checkpoints.keep(run.learner.model(), run.learner.steps, 1.0)
    assert desk.ask(RollBack(kept_in)) == [RolledBackTo(kept.name)]
    assert run.checkpoints.best == kept.name, "what came later is forgotten"
    desk.ask(scene.preview())
    np.testing.assert_array_equal(scene.semantic.open("r"), then)
    desk.add(PauseTraining(training.id, False))
    desk.steps(training, 2)


def test_rolling_back_after_the_end_is_where_resuming_begins(desk, scene, training):
    desk.steps(training, 12)
    desk.ask(StopTraining(training.id))
    desk.rest()
    stopped = desk.events(training)[-1]
    folder = desk.folder / "checkpoints"
    kept, rolled = desk.ask(RollBack(str(folder / stopped.best)))
    assert rolled == RolledBackTo(stopped.best)
    best, last = load_model(folder / stopped.best), load_model(folder / kept.name)
    for key, value in best.net.state_dict().items():
        assert torch.equal(value, last.net.state_dict()[key])


def test_a_checkpoint_that_is_not_there_is_told(desk, scene, training):
    gone = str(desk.folder / "checkpoints" / "step-9")
    for request in (RollBack(gone), scene.preview(checkpoint=gone)):
        desk.ask(request)
        assert desk.failure(request).error == "TrainingError"
        assert "no longer there" in desk.failure(request).text
    desk.steps(training, 1)


def test_one_training_at_a_time(desk, training):
    second = train(desk.folder / "second", base(desk.folder))
    desk.ask(second)
    assert "under way" in desk.failure(second).text
    desk.steps(training, 1)


def test_old_checkpoints_are_not_mixed_with_new_ones(desk, training):
    desk.ask(StopTraining(training.id))
    desk.rest()
    again = train(desk.folder)
    desk.ask(again)
    assert "Resume it" in desk.failure(again).text


def test_crops_of_a_single_pixel_are_said_before_training_begins(desk, scene):
    request = train(desk.folder, config=config(batch=1, crop=16))
    desk.add(scene.paint(0, 1))
    desk.ask(request)
    assert "16 pixels is too little" in desk.failure(request).text
