"""What training tells whoever iterates it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["starting", "improving", "flat", "overfitting"]


@dataclass(frozen=True)
class Stepped:
    """One step is done: its loss, the pace and how many pixels are labelled."""

    step: int
    loss: float
    steps_per_second: float
    labelled: int


@dataclass(frozen=True)
class Validated:
    """The held-out labels were compared: Dice of each class, 0 to 1.

    A class without held-out labels has None; `score` is the mean over the others,
    or None where nothing is held out.
    """

    step: int
    dice: tuple[float | None, ...]
    score: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Checkpointed:
    """The averaged weights were kept as the checkpoint `name`.

    `saved` is when, in seconds since 1970.
    """

    step: int
    name: str
    score: float | None
    best: bool
    saved: float


@dataclass(frozen=True)
class RolledBack:
    """The loss ran away; the last good weights are back and the rate is lower."""

    step: int
    learning_rate: float


@dataclass(frozen=True)
class Stopped:
    """Training has ended; the names of the best and the last checkpoint."""

    step: int
    best: str
    last: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know; training goes on."""

    text: str


TrainEvent = Stepped | Validated | Checkpointed | RolledBack | Warned | Stopped
