"""How a training is to begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.engine.messages import Train

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
