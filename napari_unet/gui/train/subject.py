"""An image as training sees it, and its pixels where the engine sees them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from napari_unet.engine.messages import AddImage
from napari_unet.images import bands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_unet.annotation import Annotation
    from napari_unet.engine.arrays import SharedArray
    from napari_unet.engine.client import Engine
    from napari_unet.images import Image, IntensityRange
    from napari_unet.models import Normalisation


@dataclass(frozen=True)
class Subject:
    """An image to learn from or to look at, as it is now.

    Attributes
    ----------
    key : str
        Names it between viewer and engine.
    image : Image
    channels : tuple of int
        Which ones the model sees, in order.
    normalisation : Normalisation
        Of the model.
    labels : Annotation
        A snapshot.
    planes : tuple of mapping
        Those that are looked at, with or without labels.
    """

    key: str
    image: Image
    channels: tuple[int, ...]
    normalisation: Normalisation
    labels: Annotation
    planes: tuple[Mapping[str, int], ...] = ()

    def in_place_of(self, other: Self) -> Self:
        """Return it with the planes, too, that are looked at of an earlier one."""
        ours, theirs = self.image, other.image
        if (ours.axes, ours.data.shape) != (theirs.axes, theirs.data.shape):
            return self
        return replace(self, planes=(*other.planes, *self.planes))


@dataclass(frozen=True)
class SharedImage:
    """The pixels of a subject, where the engine sees them: planes as they are needed.

    Attributes
    ----------
    image : Image
    channels : tuple of int
        Which ones the model sees, in order.
    pixels : SharedArray
        Each of these channels once, ``(T, Z, C, Y, X)`` or what there is of it.
    normalisation : Normalisation
        Of the model.
    intensity : IntensityRange
        What becomes 0 and 1.
    filled : set of tuple of int
        The positions of the planes that are there.
    """

    image: Image
    channels: tuple[int, ...]
    pixels: SharedArray
    normalisation: Normalisation
    intensity: IntensityRange
    filled: set[tuple[int, ...]] = field(default_factory=set)

    @classmethod
    def of(cls, subject: Subject, engine: Engine) -> Self:
        """Make room for the pixels of a subject, and measure them.

        Raises
        ------
        ImageError
            If they cannot be read; nothing is left behind.
        """
        image, channels = subject.image, subject.channels
        read = tuple(dict.fromkeys(channels))
        intensity = subject.normalisation.measure(image, channels)
        shape = (*image.stack_shape, len(read), *image.plane_shape)
        dtype = np.dtype(image.data.dtype).newbyteorder("=")
        pixels = engine.sparse_array(shape, dtype)
        return cls(image, channels, pixels, subject.normalisation, intensity)

    def fill(self, planes: Iterable[Mapping[str, int]]) -> None:
        """Copy the pixels of planes that are not there yet.

        Raises
        ------
        ImageError, EngineError
            If they cannot be read, or the disk cannot hold them.
        """
        read = tuple(dict.fromkeys(self.channels))
        for plane in planes:
            at = tuple(plane[axis] for axis in self.image.stack_axes)
            if at not in self.filled:
                self.pixels.reserve(at)
                for band in bands(self.image, plane):
                    rows, columns = band.slices
                    pixels = self.image.read(band, read)
                    self.pixels.open()[at][:, rows, columns] = pixels
                self.filled.add(at)

    def holds(self, labels: Annotation) -> bool:
        """Whether the pixels of all that is labelled are there."""
        planes = (region.plane for region in labels.labelled())
        return all(tuple(plane.values()) in self.filled for plane in planes)

    def shows(self, subject: Subject) -> bool:
        """Whether these are the pixels of a subject still, and seen as bright."""
        return (
            self.channels == subject.channels
            and self.normalisation == subject.normalisation
            and self.image.data is subject.image.data
            and self.image.axes == subject.image.axes
        )

    def suits_labels_of(self, other: Self) -> bool:
        """Whether labels of another image lie where they should on this one."""
        ours, theirs = self.image, other.image
        return (ours.axes, ours.data.shape) == (theirs.axes, theirs.data.shape)

    def description(self, key: str) -> AddImage:
        """Return what tells the engine of it, under the name `key`."""
        image, channels = self.image, self.channels
        read = list(dict.fromkeys(channels))
        return AddImage(
            key=key,
            name=image.name,
            pixels=self.pixels,
            axes=f"{image.stack_axes}CYX",
            rgb=image.rgb and len(read) > 1,
            channels=tuple(map(read.index, channels)),
            intensity=self.intensity,
        )
