"""What a prediction says while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_unet.images import Region


@dataclass(frozen=True, eq=False)
class Labels:
    """The result, one value a pixel.

    Attributes
    ----------
    semantic : ndarray, (..., Y, X), uint8
        Classes, 0 is background; before Y and X the image's `stack_axes`.
    instances : ndarray of the same shape, uint32, or None
        Objects, 1 to n over all planes, 0 is background. None where none were asked
        for.
    """

    semantic: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint32] | None


@dataclass(frozen=True)
class Planned:
    """The first event: what is going to be done.

    Attributes
    ----------
    tiles : int
        In all planes together.
    tile : int
        Pixels along a tile at most, without its margin.
    batch : int
        Tiles computed at once.
    device : str
        For humans.
    precision : str
        "bf16", "fp16" or "fp32".
    """

    tiles: int
    tile: int
    batch: int
    device: str
    precision: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know; the prediction goes on."""

    text: str


@dataclass(frozen=True)
class TileDone:
    """The classes of a region are written.

    Attributes
    ----------
    region : Region
        Inside the image.
    done, total : int
        Tiles; `total` grows where tiles had to be made smaller.
    """

    region: Region
    done: int
    total: int


@dataclass(frozen=True)
class PlaneDone:
    """The classes and the objects of a plane are written.

    Attributes
    ----------
    plane : mapping of str to int
        Which one; empty for a 2-D image.
    objects : int
        How many it has.
    """

    plane: Mapping[str, int] = field(default_factory=dict)
    objects: int = 0


@dataclass(frozen=True)
class VolumeDone:
    """The objects of slices that lie above each other have one number in all of them.

    Attributes
    ----------
    planes : tuple of mapping of str to int
        Which slices, each of which had its `PlaneDone`; their objects are written anew.
    objects : int
        How many they have together.
    """

    planes: tuple[Mapping[str, int], ...]
    objects: int


@dataclass(frozen=True)
class Predicted:
    """The last event of a prediction that was not cancelled.

    Attributes
    ----------
    labels : Labels
        The result.
    objects : int
        In all planes together; one in several slices of a volume counts once.
    seconds : float
        From the first look at the events to this one, with what their receiver took.
    megapixels_per_second : float
        Pixels of all planes, in millions, by `seconds`.
    device : str
        For humans.
    tile : int
        As in `Planned`, or what had to be taken instead.
    diameter : float or None
        Of the objects, in pixels, as it was given or found; None where the image was
        taken as it is.
    """

    labels: Labels
    objects: int
    seconds: float
    megapixels_per_second: float
    device: str
    tile: int
    diameter: float | None


@dataclass(frozen=True)
class Cancelled:
    """The last event of a prediction that was cancelled."""


PredictEvent = (
    Planned | Warned | TileDone | PlaneDone | VolumeDone | Predicted | Cancelled
)
