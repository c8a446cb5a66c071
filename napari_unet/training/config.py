"""How to train: one frozen configuration, checked at birth."""

import math
from dataclasses import dataclass
from typing import Literal

from napari_unet.errors import TrainingError


@dataclass(frozen=True)
class TrainConfig:
    """What a user may set about training.

    Attributes
    ----------
    steps : int or None
        Stop after so many steps, counted from where it goes on; None goes on until it
        is stopped.
    minutes : float or None
        Stop after so many minutes.
    batch : int
        Crops a step.
    crop : int
        Side of a crop in pixels.
    optimiser : {"adamw", "muon"}
        "muon" learns several times as much a step where whole objects or all pixels are
        labelled, and changes more of what a few strokes leave open, for the worse.
    learning_rate : float or None
        None takes 3e-4 for a model that was fine-tuned from another, so that
        it keeps what that one knows, and for random weights 1e-3 with AdamW and 2e-3
        with Muon. It is constant after a short warm-up: live training has no known end
        that a schedule could aim at; averaging the weights takes its place.
    cool_down : float
        The last share of a training, 0 to 1, in which the rate falls to zero. It needs
        a known end, by `steps` or `minutes`.
    averaging : float
        Decay a step of the exponential moving average of the weights, which
        previews and checkpoints use.
    validate_every : int
        Steps between two looks at the held-out labels.
    checkpoint_minutes : float
        Minutes between two checkpoints, apart from one at each best score.
    any_stain : bool
        Whether crops are changed as from one stain or microscope to another, dark on
        light to light on dark too: for a base model, which must suit images that it
        has not seen.
    device : str
        "auto", "cuda", "mps" or "cpu".
    seed : int
        For weights, crops and augmentation.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    crop: int = 128
    optimiser: Literal["adamw", "muon"] = "adamw"
    learning_rate: float | None = None
    cool_down: float = 0.2
    averaging: float = 0.98
    validate_every: int = 20
    checkpoint_minutes: float = 3.0
    any_stain: bool = False
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "minutes",
            "batch",
            "crop",
            "learning_rate",
            "validate_every",
            "checkpoint_minutes",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:  # nor is it nan
                raise TrainingError(
                    f"'{name}' is {value}; training needs a number above 0."
                )
        if not 0 <= self.seed < 2**32:
            raise TrainingError(
                f"'seed' is {self.seed}; it must be from 0 to {2**32 - 1}."
            )
        if not 0 <= self.averaging < 1:
            raise TrainingError(
                f"'averaging' is {self.averaging}; it must be at least 0 and below 1."
            )
        if not 0 <= self.cool_down <= 1:
            raise TrainingError(
                f"'cool_down' is {self.cool_down}; it must be from 0 to 1."
            )
        if self.crop % 16:
            raise TrainingError(
                f"'crop' is {self.crop} pixels; it must be a multiple of 16."
            )
