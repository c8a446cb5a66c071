"""Whether more training or more strokes would help, in a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet.training.events import Verdict

# Differences of Dice smaller than this are noise of a few held-out strokes.
NOISE = 0.01
RECENT = 5


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
        late is clearly below the best before while the loss still falls;
        "improving" where the score of late is clearly above the best before, or
        everything still rises; else "flat".
    """
    if len(scores) < RECENT + 1:
        return "starting"
    before, late = scores[:-RECENT], scores[-RECENT:]
    mean = sum(late) / RECENT
    falling = sum(losses[-RECENT:]) / RECENT < losses[-RECENT - 1]
    if mean < max(before) - 2 * NOISE and falling:
        return "overfitting"
    if max(late) > max(before) + NOISE:
        return "improving"
    return "flat"
