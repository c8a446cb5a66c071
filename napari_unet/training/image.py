"""One image to learn from, and the parts that are cut out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import fastremap
import numpy as np

from napari_unet.errors import ImageError
from napari_unet.images import IntensityRange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.annotation import Annotation
    from napari_unet.images import Image, Region


@dataclass(frozen=True)
class Cut:
    """A part of an image with its labels.

    Attributes
    ----------
    pixels : ndarray
        ``(C, Y, X)``, float32, normalised.
    scribbles, objects : ndarray
        ``(Y, X)``, as in an `Annotation`; objects are numbered anew, from 1.
    object_classes : dict of int to int
        The classes of objects that are not of class 1.
    verified, held_out : ndarray
        ``(Y, X)``, bool.
    """

    pixels: NDArray[np.float32]
    scribbles: NDArray[np.integer]
    objects: NDArray[np.integer]
    object_classes: dict[int, int]
    verified: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


@dataclass
class TrainingImage:
    """An image, what of it the net sees, and its labels.

    Attributes
    ----------
    key : str
        Names the image in the set.
    image : Image
        Read crop by crop.
    channels : tuple of int
        Which channels go in, in order.
    intensity : IntensityRange
        Of those channels.
    annotation : Annotation
        Its labels; they may change while training goes on.
    """

    key: str
    image: Image
    channels: tuple[int, ...]
    intensity: IntensityRange
    annotation: Annotation

    @cached_property
    def planes(self) -> list[dict[str, int]]:
        """The position of each plane, in order."""
        return list(self.image.planes())

    def for_net(self, channels: int) -> TrainingImage:
        """Return the image as a net of so many channels sees it: a single one repeated.

        Raises
        ------
        ImageError
            If its channels are neither one nor as many.
        """
        n = len(self.channels)
        if n == channels:
            return self
        if n > 1:
            raise ImageError(
                f"'{self.image.name}' gives {n} channels; the model takes {channels}. "
                "Choose a channel of the image, or another model."
            )
        seen = self.intensity
        return replace(
            self,
            channels=self.channels * channels,
            intensity=IntensityRange(seen.low * channels, seen.high * channels),
        )

    def cut(self, region: Region) -> Cut:
        """Return pixels and labels of a region that may leave the image.

        Beyond the border the image is mirrored and nothing is labelled.
        """
        inside = region.intersect(self.image.whole(region.plane))
        assert inside is not None, "a region beside the image"
        pixels = self.intensity.apply(self.image.read(inside, self.channels))
        beyond = (
            (inside.y0 - region.y0, region.y1 - inside.y1),
            (inside.x0 - region.x0, region.x1 - inside.x1),
        )
        labels = self.annotation
        # Small numbers, which a warp can carry as floats.
        objects, numbers = fastremap.renumber(labels.objects.read(region))
        return Cut(
            np.pad(pixels, ((0, 0), *beyond), mode="symmetric"),
            labels.scribbles.read(region),
            objects,
            {
                number: labels.object_classes[identity]
                for identity, number in numbers.items()
                if identity in labels.object_classes
            },
            labels.verified.read(region),
            labels.held_out(region),
        )
