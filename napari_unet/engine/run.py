"""A training, as the engine knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.errors import TrainingError

if TYPE_CHECKING:
    from napari_unet.training import Checkpoints, Learner, TrainingSet


@dataclass(eq=False)
class Run:
    """A training, under way or ended.

    Attributes
    ----------
    id : int
        Of the request for it.
    learner, data, checkpoints
        What `training.train` works with.
    threads : int
        Threads of the processor that were in use before.
    paused : bool
        Whether the user wants it to rest.
    ended : bool
        Whether it is over; the weights stay for previews.
    """

    id: int
    learner: Learner
    data: TrainingSet
    checkpoints: Checkpoints
    threads: int
    paused: bool = False
    ended: bool = False

    @property
    def obstacle(self) -> str | None:
        """Why nothing can be learnt now, in words for the user."""
        try:
            self.learner.check(self.data)
        except TrainingError as error:
            return f"Training waits. {error}"
        return None
