"""A net that is being trained: its weights, their average, the optimiser."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from napari_unet.errors import DeviceError, TrainingError
from napari_unet.instances import VALLEY
from napari_unet.models import Model
from napari_unet.nets.device import empty_cache
from napari_unet.training.average import Average
from napari_unet.training.history import History
from napari_unet.training.muon import Muon
from napari_unet.training.objective import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.nets import SegmentationNet
    from napari_unet.nets.device import Device
    from napari_unet.training.config import TrainConfig
    from napari_unet.training.crops import Crops
    from napari_unet.training.data import TrainingSet

WARM_UP = 10
# A loss so many times the recent mean, or that of a net that knows nothing, is a
# divergence. Less is not: a correction of what the net was sure of costs as much.
RUNAWAY = 8.0
# With AdamW and with Muon from random weights; and from those of a base.
SCRATCH_RATES, FINE_TUNING_RATE = {"adamw": 1e-3, "muon": 2e-3}, 3e-4
SMALLEST_CROP = 64


@dataclass(frozen=True)
class StepResult:
    """The loss of a step, and of each crop the share of wrong labelled pixels."""

    loss: float
    errors: NDArray[np.float32]


class Learner:
    """One training step, and the way back when a step goes wrong.

    Attributes
    ----------
    steps : int
        Steps done.
    learning_rate : float
        The rate of the next step; halved at each `roll_back`.
    batch, crop : int
        Crops a step and their side in pixels; `shrink` makes them smaller.
    version : int
        Grows with every change of the averaged weights.
    history : History
        What has happened since it was given its weights.
    """

    def __init__(self, model: Model, device: Device, config: TrainConfig) -> None:
        self.spec = model.spec
        self.device = device = device.suiting(model.net)
        self.config = config
        self.net: SegmentationNet = copy.deepcopy(model.net).to(device.name)
        self.net.to(memory_format=device.memory_format)  # type: ignore[call-overload, unused-ignore]
        self.steps = 0
        self.learning_rate = config.learning_rate or _rate(model, config)
        self.batch = config.batch
        self.crop = config.crop
        self.version = 0
        self.history = History()
        self._optimiser = self._new_optimiser()
        self._typical: float | None = None
        self._average = Average(self.net, config.averaging)
        self._objective = Objective(self.net, self.spec, device)
        self._good = copy.deepcopy(self.average.state_dict())

    @property
    def average(self) -> SegmentationNet:
        """The net with averaged weights: what is shown, validated and kept."""
        return self._average.net

    def step(
        self, crops: Crops, counts: Tensor, pace: float = 1.0
    ) -> StepResult | None:
        """Learn from one batch.

        Parameters
        ----------
        crops : Crops
            The batch, on the CPU.
        counts : Tensor
            ``(n_classes,)``, labelled pixels of each class in all images.
        pace : float
            What the learning rate is multiplied by, 0 to 1.

        Returns
        -------
        StepResult or None
            None if the loss ran away; the step is then not taken.
        """
        self._optimiser_age += 1
        pace *= min(1.0, self._optimiser_age / WARM_UP)
        for group in self._optimiser.param_groups:
            group["lr"] = self.learning_rate * pace
        loss, errors = self._objective(crops, counts)
        value = float(loss.detach())
        knows_nothing = math.log(len(self.spec.classes)) + 1
        if not value < RUNAWAY * max(self._typical or value, knows_nothing):
            return None
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if not torch.isfinite(norm):
            return None
        self._optimiser.step()
        self.steps += 1
        self._typical = 0.95 * (self._typical or value) + 0.05 * value
        self._know_valley(crops)
        self._follow(counts)
        return StepResult(value, errors)

    def shrink(self) -> str:
        """Halve what the next step takes, and say so in words for the user.

        Raises
        ------
        DeviceError
            If nothing smaller is left.
        """
        self._optimiser.zero_grad(set_to_none=True)
        empty_cache(self.device)
        if self.batch > 1:
            self.batch //= 2
        elif self.crop > SMALLEST_CROP:
            self.crop = max(SMALLEST_CROP, self.crop // 32 * 16)
        else:
            raise DeviceError(
                f"{self.device.label} has too little free memory to train this model, "
                f"even with one crop of {self.crop} pixels at a time. Close other "
                "programs, or choose another device or a smaller model."
            )
        return (
            f"{self.device.label} ran out of memory; training goes on with "
            f"{self.batch} crop{'s' * (self.batch > 1)} of {self.crop} pixels a step."
        )

    def check(self, data: TrainingSet) -> None:
        """Raise what is missing in the labels to learn from."""
        data.check()
        if self.net.learns_objects and data.diameter() is None:
            raise TrainingError(
                "This net learns from whole objects, and none is verified. Correct "
                "objects and press Accept, give masks of objects, or choose a U-Net, "
                "which learns from strokes."
            )

    def note_diameter(self, data: TrainingSet) -> None:
        """Write down how large the objects are that are learnt from, in pixels.

        A model that knows it already keeps what it knows: it was trained on more.
        """
        if self.spec.diameter is None:
            diameter = data.diameter()
            self.spec = self.spec.model_copy(update={"diameter": diameter})

    def keep_good(self) -> None:
        """Remember the averaged weights as the ones to roll back to."""
        self._good = copy.deepcopy(self.average.state_dict())

    def roll_back(self) -> None:
        """Return to the last good weights with half the rate and a new optimiser."""
        self.learning_rate /= 2
        self.restore(self._good)

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Go on from `weights`, a state of the net, with a new optimiser."""
        self.net.load_state_dict(weights)
        self.average.load_state_dict(weights)
        self._optimiser = self._new_optimiser()
        self._typical = None
        # How it went with other weights says nothing of these.
        self.history = History()
        self.version += 1

    def model(self) -> Model:
        """Return the averaged weights as a model of its own, on the CPU."""
        return Model(self.spec, copy.deepcopy(self.average).to("cpu"))

    def _know_valley(self, crops: Crops) -> None:
        """Find objects by their boundaries, once some have been learnt from."""
        learnt = self.net.own_loss or bool(crops.known.any())
        if self.net.boundary_head and learnt and self.spec.valley is None:
            self.spec = self.spec.model_copy(update={"valley": VALLEY})

    def _new_optimiser(self) -> torch.optim.Optimizer:
        self._optimiser_age = 0
        kind = Muon if self.config.optimiser == "muon" else torch.optim.AdamW
        return kind(self.net.parameters(), self.learning_rate)

    def _follow(self, counts: Tensor) -> None:
        self._average.follow(self.net, counts)
        self.version += 1


def _rate(model: Model, config: TrainConfig) -> float:
    """Return a rate that suits random weights, or those of a base model."""
    return FINE_TUNING_RATE if model.spec.refines else SCRATCH_RATES[config.optimiser]
