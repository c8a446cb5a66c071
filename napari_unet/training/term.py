"""How much of a training is over, and how fast the net still learns."""

import time

from napari_unet.training.config import TrainConfig


class Term:
    """The time of one training, which begins now.

    Parameters
    ----------
    config : TrainConfig
        Says when it ends, if that is known, and when the rate begins to fall.
    steps : int
        Taken before, in a training that goes on.
    """

    def __init__(self, config: TrainConfig, steps: int = 0) -> None:
        self._config = config
        self._before = steps
        self._began = time.monotonic()

    def done(self, steps: int) -> float:
        """Return which share is over after `steps` steps; 0 where no end is known."""
        minutes = (time.monotonic() - self._began) / 60
        return max(
            (steps - self._before) / (self._config.steps or float("inf")),
            minutes / (self._config.minutes or float("inf")),
        )

    def pace(self, steps: int) -> float:
        """Return by which factor the learning rate is lowered, 1 down to 0."""
        left = 1 - self.done(steps)
        return max(0.0, min(1.0, left / (self._config.cool_down or 1e-9)))
