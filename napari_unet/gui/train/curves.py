"""How the loss and the Dice went over the steps of a training."""

from __future__ import annotations

from typing import Any

from napari_unet.training.events import Stepped, Validated

_MOST_POINTS = 1200


class Curves:
    """Points to plot: their step, and the loss or the mean Dice.

    Attributes
    ----------
    losses, scores : list of tuple of int and float
        Scores are Dice of held-out labels, 0 to 1.
    """

    def __init__(self) -> None:
        self.losses: list[tuple[int, float]] = []
        self.scores: list[tuple[int, float]] = []

    def clear(self) -> None:
        """Begin anew."""
        self.losses.clear()
        self.scores.clear()

    def take(self, event: Any) -> None:
        """Take note of an event of the training."""
        match event:
            case Stepped():
                self.losses.append((event.step, event.loss))
                if len(self.losses) > _MOST_POINTS:
                    # Two neighbours become one.
                    self.losses[:] = [
                        (b[0], (a[1] + b[1]) / 2)
                        for a, b in zip(
                            self.losses[::2], self.losses[1::2], strict=False
                        )
                    ]
            case Validated(score=float(score)):
                self.scores.append((event.step, score))
