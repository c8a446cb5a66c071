"""Fitting a net to labels while more are painted.

The names that need torch are imported when they are first used, because the viewer
reads configurations and events.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from napari_unet.training.checkpoints import Checkpoint, Checkpoints
from napari_unet.training.config import TrainConfig
from napari_unet.training.events import (
    Checkpointed,
    RolledBack,
    Stepped,
    Stopped,
    TrainEvent,
    Validated,
    Warned,
)

if TYPE_CHECKING:
    from napari_unet.training.crops import check_crops
    from napari_unet.training.data import TrainingSet
    from napari_unet.training.image import TrainingImage
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
    "Warned",
    "check_crops",
    "train",
]

_WITH_TORCH = {
    "Learner": "learner",
    "TrainingImage": "image",
    "TrainingSet": "data",
    "check_crops": "crops",
    "train": "loop",
}


def __getattr__(name: str) -> object:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
