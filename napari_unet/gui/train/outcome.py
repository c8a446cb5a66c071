"""What a training leaves: its checkpoints, and the best of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_unet.engine.messages import RolledBackTo
from napari_unet.gui.train.curves import Curves
from napari_unet.training.events import Checkpointed, Stopped

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.gui.train.plan import Plan


class Outcome:
    """Of the training under way, or else the last one.

    Attributes
    ----------
    plan : Plan or None
        How it began; None before the first one.
    checkpoints : list of Checkpointed
        Those kept, oldest first.
    pictures : dict of str to array, ``(Y, X)``, uint8
        What a checkpoint predicts of a small part of an image, by its name.
    curves : Curves
        How it went.
    best : Path or None
        The folder of the best model, once it has ended.
    line : str
        How it ended, for the user.
    """

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.checkpoints: list[Checkpointed] = []
        self.pictures: dict[str, NDArray[np.uint8]] = {}
        self.curves = Curves()
        self.best: Path | None = None
        self.line = ""

    def begin(self, plan: Plan) -> None:
        """Begin anew, or go on where the folder is the same."""
        if self.plan is None or self.plan.folder != plan.folder:
            self.checkpoints.clear()
            self.pictures.clear()
            self.best = None
        self.plan = plan
        self.curves.clear()
        self.line = "Stopped before the first step."

    def take(self, event: Any) -> None:
        """Take note of an event of the training."""
        self.curves.take(event)
        match event:
            case Checkpointed():
                # Old ones make room for new ones.
                kept = [c for c in self.checkpoints if self.folder_of(c.name).is_dir()]
                self.checkpoints[:] = [*kept, event]
            case RolledBackTo():
                self.forget_best(after=event.name)
            case Stopped():
                assert self.plan is not None
                self.best = self.plan.folder / event.best
                self.line = (
                    f"Stopped after {event.step} steps. The best and the last model "
                    f"are kept in '{self.plan.folder}'."
                )

    def forget_best(self, after: str | None = None) -> None:
        """Let the checkpoints later than `after`, or all, be best no more."""
        names = [event.name for event in self.checkpoints]
        first = names.index(after) + 1 if after in names else 0
        for i in range(first, len(names)):
            self.checkpoints[i] = replace(self.checkpoints[i], best=False)

    def break_off(self) -> None:
        """Name the best model, or the last, of a training that could not do it."""
        best = [event for event in self.checkpoints if event.best] or self.checkpoints
        if best:
            self.best = self.folder_of(best[-1].name)

    def folder_of(self, checkpoint: str) -> Path:
        """Return where a checkpoint is kept."""
        assert self.plan is not None
        return self.plan.folder / checkpoint
