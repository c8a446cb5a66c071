"""A trained model: what it is and its weights, in memory and as a folder."""

from napari_unet.models.adapt import adapt
from napari_unet.models.architecture import (
    ARCHITECTURES,
    TITLES,
    Architecture,
    FCNArchitecture,
    MaskRCNNArchitecture,
    PatchArchitecture,
    UNetArchitecture,
    missing_extra,
    new_net,
)
from napari_unet.models.folder import (
    base_models,
    find_model,
    load_model,
    read_spec,
)
from napari_unet.models.model import Model, build
from napari_unet.models.save import check_place, save_model
from napari_unet.models.spec import ModelSpec, Normalisation

__all__ = [
    "ARCHITECTURES",
    "TITLES",
    "Architecture",
    "FCNArchitecture",
    "MaskRCNNArchitecture",
    "Model",
    "ModelSpec",
    "Normalisation",
    "PatchArchitecture",
    "UNetArchitecture",
    "adapt",
    "base_models",
    "build",
    "check_place",
    "find_model",
    "load_model",
    "missing_extra",
    "new_net",
    "read_spec",
    "save_model",
]
