"""How a training is to begin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from napari_unet.engine.messages import Train
from napari_unet.resources import data_folder

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet.annotation import ClassScheme
    from napari_unet.training import TrainConfig


@dataclass(frozen=True)
class Plan:
    """How to begin a training.

    Attributes
    ----------
    name : str
        Of the new model.
    base : str
        A base model's name, a folder, or what `new_net` takes, for random weights.
    folder : Path
        Where the model is kept.
    config : TrainConfig
    resume : bool
        Whether to go on from the last checkpoint in `folder`.
    """

    name: str
    base: str
    folder: Path
    config: TrainConfig
    resume: bool = False

    @classmethod
    def anew(cls, image: str, base: str, config: TrainConfig) -> Self:
        """Return a plan for a model of its own, named by an image and the time."""
        now = datetime.now()
        # Paths on Windows have 260 letters at most.
        safe = re.sub(r"[^\w-]+", "-", image)[:40].strip("-") or "image"
        folder = data_folder() / "models" / f"{safe}-{now:%Y-%m-%d-%H%M%S}"
        return cls(f"{image}, {now:%d %b %H:%M}", base, folder, config)

    def request(self, classes: ClassScheme, channels: int) -> Train:
        """Return what to ask of the engine.

        Parameters
        ----------
        classes : ClassScheme
            What is labelled.
        channels : int
            How many the model takes.
        """
        return Train(
            name=self.name,
            base=self.base,
            classes=classes,
            channels=channels,
            folder=str(self.folder),
            config=self.config,
            resume=self.resume,
        )
