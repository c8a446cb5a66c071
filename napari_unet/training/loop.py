"""The training loop: step, validate, checkpoint, tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from napari_unet.errors import ModelError, TrainingError, is_out_of_memory
from napari_unet.training.claim import claimed
from napari_unet.training.events import (
    Checkpointed,
    RolledBack,
    Stepped,
    Stopped,
    TrainEvent,
    Warned,
)
from napari_unet.training.term import Term
from napari_unet.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_unet.training.checkpoints import Checkpoints
    from napari_unet.training.data import TrainingSet
    from napari_unet.training.learner import Learner, StepResult
    from napari_unet.training.sites import Site

T = TypeVar("T")

# After so many roll-backs in a row, lowering the rate has not helped.
MOST_ROLL_BACKS = 6
RUNS_AWAY = (
    "Training runs away again and again, even at a low rate. Your labels are safe. "
    "Start again from the base model, or check the image for extreme values."
)


def train(
    learner: Learner,
    data: TrainingSet,
    checkpoints: Checkpoints,
    cancel: Callable[[], bool] = lambda: False,
) -> Iterator[TrainEvent]:
    """Train until told to stop, telling what happens after each step.

    The loop has no horizon: labels may be added to `data` between two events, and are
    drawn from the next step on.

    Parameters
    ----------
    learner : Learner
        What learns; its averaged weights are what is validated and kept.
    data : TrainingSet
        The labelled images.
    checkpoints : Checkpoints
        Where weights are kept.
    cancel : callable
        Asked before each step; True ends training.

    Yields
    ------
    TrainEvent
        `Stepped` for each step; `Validated`, `Checkpointed`, `RolledBack` and
        `Warned` when they happen; `Stopped` at the end.

    Raises
    ------
    TrainingError
        If nothing or one class only is labelled, another training keeps its
        checkpoints in the same folder, or the loss runs away again and again.
    DeviceError
        If memory is too small even for one small crop.
    ModelError
        If nothing at all could be kept.
    """
    learner.check(data)
    with claimed(checkpoints.folder):
        yield from _train(learner, data, checkpoints, cancel)


def _train(
    learner: Learner,
    data: TrainingSet,
    checkpoints: Checkpoints,
    cancel: Callable[[], bool],
) -> Iterator[TrainEvent]:
    config = learner.config
    term = Term(config, learner.steps)
    kept = time.monotonic()
    roll_backs = 0

    while not cancel() and term.done(learner.steps) < 1:
        done = _if_memory_lasts(_step, learner, data, term.pace(learner.steps))
        if done is None:
            yield Warned(learner.shrink())
            continue
        result, sites = done

        if result is None:
            roll_backs += 1
            if roll_backs > MOST_ROLL_BACKS:
                raise TrainingError(RUNS_AWAY)
            learner.roll_back()
            yield RolledBack(learner.steps, learner.learning_rate)
            continue

        data.learnt(sites, result.errors)
        history = learner.history
        rate = history.stepped(result.loss)
        yield Stepped(learner.steps, result.loss, rate, int(data.counts.sum()))

        # Not if somebody has exchanged the weights meanwhile: they are judged later.
        exchanged = history is not learner.history
        if learner.steps % config.validate_every == 0 and not exchanged:
            judged = _if_memory_lasts(validate, learner, data)
            if judged is None:
                yield Warned(learner.shrink())
                continue
            validated = history.validated(learner.steps, judged)
            learner.keep_good()
            roll_backs = 0
            due = time.monotonic() - kept > 60 * config.checkpoint_minutes
            keep = due or checkpoints.is_best(validated.score)
            # Kept first: between two events somebody may exchange the weights.
            news = _keep(learner, data, checkpoints, validated.score) if keep else None
            yield validated
            if news is not None:
                yield news
                kept = time.monotonic()

    scored = checkpoints.scored(learner.steps)
    news = None if scored else _keep(learner, data, checkpoints, None)
    last = checkpoints.last
    if last is None:
        assert isinstance(news, Warned)
        raise ModelError(news.text)
    if news is not None:
        yield news
    yield Stopped(learner.steps, checkpoints.best or last, last)


def _step(
    learner: Learner, data: TrainingSet, pace: float
) -> tuple[StepResult | None, list[Site]]:
    """Take one step; return its result and the sites that it learnt from."""
    crops, sites = data.draw(
        learner.batch,
        learner.crop,
        context=learner.net.context,
        any_stain=learner.config.any_stain,
    )
    return learner.step(crops, data.counts, pace), sites


def _if_memory_lasts(work: Callable[..., T], *args: object) -> T | None:
    """Return what some work gives, None if memory ran out.

    Less is tried outside of this, because the error keeps the memory of what failed.
    """
    try:
        return work(*args)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _keep(
    learner: Learner, data: TrainingSet, checkpoints: Checkpoints, score: float | None
) -> Checkpointed | Warned:
    """Keep the weights; a full disk must not end training."""
    # Objects may have been accepted since training began.
    learner.note_diameter(data)
    try:
        return checkpoints.keep(learner.model(), learner.steps, score)
    except ModelError as error:
        return Warned(str(error))
