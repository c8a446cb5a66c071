"""Looking at an image that is being annotated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_unet.engine.messages.request import Request
from napari_unet.inference.config import PredictConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_unet.engine.arrays import SharedArray
    from napari_unet.images import Region

DEFAULT = PredictConfig()


@dataclass(frozen=True)
class Preview(Request):
    """Predict what is on screen; answered by `Previewed`.

    A view of more than about 512 x 512 is told about in several `TileDone` before.

    Attributes
    ----------
    key : str
        Of the image.
    region : Region
        What to predict, inside the image.
    semantic : SharedArray
        uint8, of the region's shape, or of the image's stack and Y, X, where the
        region is written in place.
    instances : SharedArray or None
        uint32, the same shape. Ids are 1 to n inside the region, which are not
        those of other regions, and objects end where the region does.
    checkpoint : str or None
        The folder of one that a training has kept.
    model : str or None
        A base model's name or a folder, if `checkpoint` is None. Where both are, it
        is the averaged weights of the training, under way or ended.
    config : PredictConfig
        How objects are found, and the device for a `checkpoint` or a `model`.
    """

    key: str
    region: Region
    semantic: SharedArray
    instances: SharedArray | None = None
    checkpoint: str | None = None
    model: str | None = None
    config: PredictConfig = DEFAULT
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class Previewed:
    """A region of an image is predicted.

    Attributes
    ----------
    region : Region
    step : int
        Steps of training behind the weights; 0 for a `model`.
    objects : int
        How many the region has.
    """

    region: Region
    step: int
    objects: int


@dataclass(frozen=True)
class MostUncertain(Request):
    """Look for where painting helps most; answered by `UncertainRegion`.

    Tiles of about 256 x 256 are predicted, each told by `TileDone`: all of them, or
    64 by chance. What lies near a label counts as certain.

    Attributes
    ----------
    planes : tuple of (str, mapping)
        The planes to look at: the key of an image, and a position.
    shown : tuple of (str, Region)
        What earlier answers named: it is named again where there is nothing else.
    checkpoint, model, config
        As in `Preview`.
    """

    planes: tuple[tuple[str, Mapping[str, int]], ...]
    checkpoint: str | None = None
    model: str | None = None
    config: PredictConfig = DEFAULT
    shown: tuple[tuple[str, Region], ...] = ()
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class UncertainRegion:
    """Where painting helps most.

    Attributes
    ----------
    key : str
        Of the image.
    region : Region
    uncertainty : float
        The mean over the region, 0 to 1; 0 near labels.
    """

    key: str
    region: Region
    uncertainty: float
