"""What a model is, apart from its weights: the contents of ``model.json``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_unet.annotation import ClassScheme

SCHEMA_VERSION = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Architecture(_Frozen):
    """The parameters of a `nets.UNet`."""

    name: Literal["unet"] = "unet"
    depth: int = Field(4, ge=1, le=7)
    width: int = Field(32, ge=1, le=1024)
    max_width: int = Field(128, ge=1, le=4096)
    norm: Literal["batch", "layer", "none"] = "batch"
    padding: Literal["same", "valid"] = "same"
    distance: bool = True


class Normalisation(_Frozen):
    """Which percentiles of each channel of the whole image become 0 and 1."""

    low: float = Field(1.0, ge=0, lt=100)
    high: float = Field(99.8, gt=0, le=100)


class ModelSpec(_Frozen):
    """A frozen description of a model.

    Attributes
    ----------
    name, description : str
        What it is called, and one line on what it is good for.
    channels : int
        Channels of the image that it takes; an image of one channel is repeated.
    classes : ClassScheme
        Background first; one logit each.
    pixel_size : float or None
        Micrometres a pixel at which it was trained, where that is known.
    provenance : mapping
        Data, licence, recipe, seed and scores, as text.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    description: str = ""
    architecture: Architecture = Architecture()
    dimensions: Literal[2] = 2
    channels: int = Field(1, ge=1, le=64)
    classes: ClassScheme
    normalisation: Normalisation = Normalisation()
    pixel_size: float | None = None
    provenance: dict[str, str] = {}
