"""A trained model: what it is and its weights, in memory and as a folder."""

from napari_unet.models.adapt import adapt
from napari_unet.models.folder import (
    base_models,
    find_model,
    load_model,
    read_spec,
    save_model,
)
from napari_unet.models.model import Model, build
from napari_unet.models.spec import Architecture, ModelSpec, Normalisation

__all__ = [
    "Architecture",
    "Model",
    "ModelSpec",
    "Normalisation",
    "adapt",
    "base_models",
    "build",
    "find_model",
    "load_model",
    "read_spec",
    "save_model",
]
