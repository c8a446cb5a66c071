"""Whole images, models, and what they are computed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_unet.engine.messages.request import Request

if TYPE_CHECKING:
    from napari_unet.engine.arrays import SharedArray
    from napari_unet.images import IntensityRange
    from napari_unet.inference import PredictConfig


@dataclass(frozen=True)
class Describe(Request):
    """Ask what the engine computes on; answered by `Described`.

    Attributes
    ----------
    device : str
        ``"auto"`` or a device's name.
    """

    device: str = "auto"
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class Described:
    """What the engine computes on.

    Attributes
    ----------
    device : str
        For humans.
    notes : tuple of str
        What the user should know, e.g. a graphics card that failed its self-test.
    """

    device: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class WarmUp(Request):
    """Load a model and the device while the user looks around; no answer but Done.

    Attributes
    ----------
    model : str
        A base model's name or a folder.
    config : PredictConfig
        What the coming `Predict` will say.
    """

    model: str
    config: PredictConfig


@dataclass(frozen=True)
class Predict(Request):
    """Predict every plane of `pixels`; answered by `inference.events`.

    The labels of `Predicted` are None: they are in the two arrays.

    Attributes
    ----------
    pixels : SharedArray
        The planes to predict, and no others.
    axes : str
        The axes of `pixels`, e.g. ``"CZYX"``, as in `images.Image`.
    rgb : bool
        Whether the channels are red, green, blue (and alpha).
    name : str
        The image's name, for what is said to the user.
    intensity : IntensityRange
        Measured on the whole image, one low and high for each channel fed to the
        model.
    model : str
        A base model's name or a folder.
    config : PredictConfig
    semantic : SharedArray
        uint8, of the stack's shape and Y, X: written as the prediction goes on.
    instances : SharedArray or None
        uint32, the same shape; None where the config asks for no objects.
    """

    pixels: SharedArray
    axes: str
    rgb: bool
    name: str
    intensity: IntensityRange
    model: str
    config: PredictConfig
    semantic: SharedArray
    instances: SharedArray | None


@dataclass(frozen=True)
class FeatureMaps(Request):
    """Ask for the maps of one step of a net; no answer but Done.

    Attributes
    ----------
    pixels : SharedArray
        ``(C, Y, X)``, float32, normalised: all that the net is shown.
    model : str
        A base model's name or a folder.
    place : int
        Of the step in the model's `blueprint` for this size.
    maps : SharedArray
        float32, of the step's channels, height and width: written.
    """

    pixels: SharedArray
    model: str
    place: int
    maps: SharedArray
