"""The course of a training, and whether more of it or more strokes would help."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from napari_unet.training.events import Validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet.training.events import Verdict

# Differences of Dice smaller than this are noise of a few held-out strokes.
NOISE = 0.01
RECENT = 5


class History:
    """What has happened since a training began, or began again, which is now."""

    def __init__(self) -> None:
        # `time.monotonic` stands still for 16 ms on Windows, longer than a fast step.
        self._times: deque[float] = deque([time.perf_counter()], maxlen=20)
        self._losses: list[float] = []
        self._mean_losses: list[float] = []
        self._scores: list[float] = []

    def stepped(self, loss: float) -> float:
        """Note a step that is done now, and return the steps per second of late."""
        self._losses.append(loss)
        self._times.append(time.perf_counter())
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def waited(self) -> None:
        """Note that no step could be taken until now."""
        self._times.clear()
        self._times.append(time.perf_counter())

    def validated(self, step: int, dice: tuple[float | None, ...]) -> Validated:
        """Note the Dice of each class on held-out labels, and judge them."""
        known = [d for d in dice if d is not None]
        score = sum(known) / len(known) if known else None
        self._mean_losses.append(sum(self._losses) / len(self._losses))
        self._losses.clear()
        if score is not None:
            self._scores.append(score)
        judged = verdict(self._scores, self._mean_losses)
        return Validated(step, dice, score, judged)


def verdict(scores: Sequence[float], losses: Sequence[float]) -> Verdict:
    """Judge the course of training.

    Parameters
    ----------
    scores : sequence of float
        Mean Dice on the held-out labels at each validation, oldest first.
    losses : sequence of float
        Mean training loss between those validations.

    Returns
    -------
    str
        "starting" before there is enough to judge; "overfitting" where the score of
        late is clearly below the best before while the loss does not rise: that of few
        labels stays at its level, and new ones raise it;
        "improving" where the score of late is clearly above the best before, or
        everything still rises; else "flat".
    """
    if len(scores) < RECENT + 1:
        return "starting"
    before, late = scores[:-RECENT], scores[-RECENT:]
    mean = sum(late) / RECENT
    risen = sum(losses[-RECENT:]) / RECENT > max(losses[-2 * RECENT : -RECENT])
    if mean < max(before) - 2 * NOISE and not risen:
        return "overfitting"
    if max(late) > max(before) + NOISE:
        return "improving"
    return "flat"
