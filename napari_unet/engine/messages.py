"""What the viewer and the engine say to each other.

A request carries an id. The engine answers with any number of `Event`, then one
`Done` or `Failed` of that id. Events are what a job yields: the same dataclasses that
`inference.predict` and `training` yield in a script. Whole images are never part of
a message: they are in a `SharedArray`.

Neither this module nor what it imports loads torch: the viewer uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_unet.engine.live_messages import (
    AddImage,
    MostUncertain,
    Patch,
    PauseTraining,
    Preview,
    Previewed,
    RemoveImage,
    RollBack,
    RolledBackTo,
    StopTraining,
    Train,
    UncertainRegion,
    WriteLabels,
)
from napari_unet.engine.request import Request

if TYPE_CHECKING:
    from napari_unet.engine.arrays import SharedArray
    from napari_unet.images import IntensityRange
    from napari_unet.inference import PredictConfig

__all__ = [
    "AddImage",
    "Cancel",
    "Describe",
    "Described",
    "Done",
    "Event",
    "Failed",
    "FeatureMaps",
    "Hello",
    "MostUncertain",
    "Patch",
    "PauseTraining",
    "Predict",
    "Preview",
    "Previewed",
    "Quit",
    "RemoveImage",
    "Request",
    "RollBack",
    "RolledBackTo",
    "SetThreads",
    "StopTraining",
    "Train",
    "UncertainRegion",
    "WarmUp",
    "WriteLabels",
]


# Requests


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


@dataclass(frozen=True)
class SetThreads(Request):
    """Use this many of the processor's threads from the next step or tile on.

    Attributes
    ----------
    threads : int or None
        None takes all of them.
    """

    threads: int | None
    urgent: ClassVar[bool] = True


# Orders, which no answer belongs to


@dataclass(frozen=True)
class Cancel:
    """Give up a request; an unknown or finished one is fine."""

    id: int


@dataclass(frozen=True)
class Quit:
    """End the engine now."""


# Answers


@dataclass(frozen=True)
class Hello:
    """The first thing the engine says, before it has loaded torch."""

    version: str


@dataclass(frozen=True)
class Event:
    """Something a job yielded."""

    id: int
    event: object


@dataclass(frozen=True)
class Done:
    """A job has ended as it should, or was cancelled."""

    id: int


@dataclass(frozen=True)
class Failed:
    """A job has ended with an error.

    Attributes
    ----------
    error : str
        The name of a class in `napari_unet.errors`.
    text : str
        What to tell the user.
    """

    id: int
    error: str
    text: str


# Events that belong to no other package


@dataclass(frozen=True)
class Described:
    """What the engine computes on.

    Attributes
    ----------
    device : str
        For humans.
    notes : tuple of str
        What the user should know, e.g. a graphics card that failed its self-test.
    torch : str
        torch's version.
    threads : int
        Threads of the processor in use.
    free_memory : int
        On the device, in bytes.
    """

    device: str
    notes: tuple[str, ...]
    torch: str
    threads: int
    free_memory: int
