"""Requests that keep the engine's images and labels as the viewer's are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from napari_unet.engine.messages.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.engine.arrays import SharedArray
    from napari_unet.images import IntensityRange, Region


@dataclass(frozen=True)
class AddImage(Request):
    """Bring an image in for training and previews, before or during a training.

    It stays until `RemoveImage`. An image of the same key is replaced, and where the
    shape is the same its labels stay.

    Attributes
    ----------
    key : str
        Names the image in other requests.
    name : str
        What the user calls it.
    pixels : SharedArray
        All planes; those that are neither labelled nor looked at may be empty. The file
        may be removed once the answer has come.
    axes : str
        The axes of `pixels`, e.g. ``"CZYX"``, as in `images.Image`.
    rgb : bool
        Whether the channels are red, green, blue (and alpha).
    channels : tuple of int
        Which channels the net sees. A single one is repeated for a model of more.
    intensity : IntensityRange
        Of these channels.
    """

    key: str
    name: str
    pixels: SharedArray
    axes: str
    rgb: bool
    channels: tuple[int, ...]
    intensity: IntensityRange
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class RemoveImage(Request):
    """Forget an image and its labels; an unknown one is fine."""

    key: str
    urgent: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Patch:
    """What the labels of a region are now; None for what has not changed.

    Attributes
    ----------
    region : Region
        Inside the image; a block of 256 x 256 pixels or less.
    scribbles : ndarray or None
        ``(Y, X)``, uint8: 0 not labelled, class + 1 elsewhere.
    objects : ndarray or None
        ``(Y, X)``, uint32.
    verified : ndarray or None
        ``(Y, X)``, bool.
    split : ndarray or None
        ``(Y, X)``, uint8: which labels are held out, see `Annotation.split`; the
        engine does not decide it.
    """

    region: Region
    scribbles: NDArray[np.uint8] | None = None
    objects: NDArray[np.uint32] | None = None
    verified: NDArray[np.bool_] | None = None
    split: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class WriteLabels(Request):
    """Bring the engine's copy of an image's labels up to date.

    It is written between two steps, and the next crops are drawn from it.

    Attributes
    ----------
    key : str
        Of the image.
    patches : tuple of Patch
    object_classes : mapping of int to int
        The classes of all objects that are not of class 1, as in
        `Annotation.object_classes`.
    """

    key: str
    patches: tuple[Patch, ...]
    object_classes: Mapping[int, int] = field(default_factory=dict)
    urgent: ClassVar[bool] = True
