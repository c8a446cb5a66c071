"""Fitting a net to labels while more are painted."""

from napari_unet.training.checkpoints import Checkpoint, Checkpoints
from napari_unet.training.config import TrainConfig
from napari_unet.training.data import TrainingImage, TrainingSet
from napari_unet.training.events import (
    Checkpointed,
    RolledBack,
    Stepped,
    Stopped,
    TrainEvent,
    Validated,
)
from napari_unet.training.learner import Learner
from napari_unet.training.loop import train

__all__ = [
    "Checkpoint",
    "Checkpointed",
    "Checkpoints",
    "Learner",
    "RolledBack",
    "Stepped",
    "Stopped",
    "TrainConfig",
    "TrainEvent",
    "TrainingImage",
    "TrainingSet",
    "Validated",
    "train",
]
