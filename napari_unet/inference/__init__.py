"""Prediction: from an image and a model to labels, tile by tile.

None of these modules loads torch before something is predicted.
"""

from napari_unet.inference.config import PredictConfig
from napari_unet.inference.events import (
    Cancelled,
    Labels,
    PlaneDone,
    Planned,
    Predicted,
    PredictEvent,
    TileDone,
    VolumeDone,
    Warned,
)
from napari_unet.inference.predict import predict

__all__ = [
    "Cancelled",
    "Labels",
    "PlaneDone",
    "Planned",
    "PredictConfig",
    "PredictEvent",
    "Predicted",
    "TileDone",
    "VolumeDone",
    "Warned",
    "predict",
]
