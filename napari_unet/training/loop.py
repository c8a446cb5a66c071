"""The training loop: step, validate, checkpoint, tell."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from napari_unet.errors import ModelError, TrainingError, is_out_of_memory
from napari_unet.training.events import (
    Checkpointed,
    RolledBack,
    Stepped,
    Stopped,
    TrainEvent,
    Validated,
    Warned,
)
from napari_unet.training.history import verdict
from napari_unet.training.term import Term
from napari_unet.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_unet.training.checkpoints import Checkpoints
    from napari_unet.training.data import TrainingSet
    from napari_unet.training.learner import Learner, StepResult
    from napari_unet.training.sampler import Site

# After so many roll-backs in a row, lowering the rate has not helped.
MOST_ROLL_BACKS = 6
# Crops that a validation looks at, at least.
FEWEST_HELD_OUT = 16


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
        If nothing or one class only is labelled, or the loss runs away again and
        again.
    DeviceError
        If memory is too small even for one small crop.
    ModelError
        If nothing at all could be kept.
    """
    config = learner.config
    learner.check(data)
    learner.note_diameter(data.diameter())
    term = Term(config)
    kept = time.monotonic()
    times: deque[float] = deque([kept], maxlen=20)
    losses: list[float] = []
    scores: list[float] = []
    mean_losses: list[float] = []
    roll_backs = 0

    while not cancel() and term.done(learner.steps) < 1:
        done = _step(learner, data, term.pace(learner.steps))
        # Outside the handler, because the error keeps the memory of the failed step.
        if done is None:
            yield Warned(learner.shrink())
            continue
        result, sites = done

        if result is None:
            roll_backs += 1
            if roll_backs > MOST_ROLL_BACKS:
                raise TrainingError(
                    "Training runs away again and again, even at a low rate. Your "
                    "labels are safe. Start again from the base model, or check the "
                    "image for extreme values."
                )
            learner.roll_back()
            yield RolledBack(learner.steps, learner.learning_rate)
            continue

        data.learnt(sites, result.errors)
        losses.append(result.loss)
        times.append(time.monotonic())
        rate = (len(times) - 1) / (times[-1] - times[0])
        yield Stepped(learner.steps, result.loss, rate, int(data.counts.sum()))

        if learner.steps % config.validate_every == 0:
            dice = _validate(learner, data)
            known = [d for d in dice if d is not None]
            score = sum(known) / len(known) if known else None
            mean_losses.append(sum(losses) / len(losses))
            losses.clear()
            if score is not None:
                scores.append(score)
            learner.keep_good()
            roll_backs = 0
            judged = verdict(scores, mean_losses)
            due = time.monotonic() - kept > 60 * config.checkpoint_minutes
            keep = due or checkpoints.is_best(score)
            # Kept first: between two events somebody may exchange the weights.
            news = _keep(learner, checkpoints, score) if keep else None
            yield Validated(learner.steps, dice, score, judged)
            if news is not None:
                yield news
                kept = time.monotonic()

    news = _keep(learner, checkpoints, None)
    last = checkpoints.last
    if last is None:
        assert isinstance(news, Warned)
        raise ModelError(news.text)
    yield news
    yield Stopped(learner.steps, checkpoints.best or last, last)


def _step(
    learner: Learner, data: TrainingSet, pace: float
) -> tuple[StepResult | None, list[Site]] | None:
    """Take one step; return its result and sites, None if memory ran out."""
    try:
        config = learner.config
        crops, sites = data.draw(
            learner.batch,
            learner.crop,
            context=learner.net.context,
            any_stain=config.any_stain,
        )
        return learner.step(crops, data.counts, pace), sites
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _validate(learner: Learner, data: TrainingSet) -> tuple[float | None, ...]:
    """Return the Dice of each class on held-out labels."""
    # A look costs a third of a step: with these, a twentieth of the time at most.
    most = max(FEWEST_HELD_OUT, learner.config.validate_every * learner.batch // 8)
    context = learner.net.context
    return validate(learner, data.held_out(learner.crop, context=context, most=most))


def _keep(
    learner: Learner, checkpoints: Checkpoints, score: float | None
) -> Checkpointed | Warned:
    """Keep the weights; a full disk must not end training."""
    try:
        return checkpoints.keep(learner.model(), learner.steps, score)
    except ModelError as error:
        return Warned(str(error))
