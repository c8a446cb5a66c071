"""What a user has labelled in one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.annotation.blocks import Blocks, Key
from napari_unet.annotation.classes import MOST_CLASSES
from napari_unet.annotation.targets import classes_of, labelled_classes
from napari_unet.errors import AnnotationError
from napari_unet.images.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import DTypeLike, NDArray

    from napari_unet.images import Image


class Annotation:
    """Scribbles, objects and verified regions of one image.

    One thread owns an annotation and writes to it. Every other one is given a
    `snapshot`, which costs next to nothing and never changes.

    Parameters
    ----------
    shape : tuple of int
        Of the labels: the image's without its channels.
    axes : str
        One letter for each dimension, ending in ``YX``.

    Attributes
    ----------
    scribbles : Blocks
        ``(..., Y, X)``, uint8: 0 not labelled, class + 1 elsewhere.
    objects : Blocks
        ``(..., Y, X)``, uint32: 0 or the id of an object.
    verified : Blocks
        ``(..., Y, X)``, bool: where the objects are complete, so that everything
        around them is background.
    object_classes : mapping of int to int
        The classes of objects that are not of class 1.
    version : int
        Grows with every change of a label.
    """

    def __init__(self, shape: tuple[int, ...], axes: str = "YX") -> None:
        self.scribbles = Blocks(shape, np.uint8, axes)
        self.objects = Blocks(shape, np.uint32, axes)
        self.verified = Blocks(shape, np.bool_, axes)
        self.version = 0
        self._object_classes: dict[int, int] = {}
        self._changed: dict[Key, int] = {}
        self._counts: dict[Key, NDArray[np.int64]] = {}

    @classmethod
    def of(cls, image: Image) -> Annotation:
        """Make the empty annotation of an image."""
        return cls((*image.stack_shape, *image.plane_shape), f"{image.stack_axes}YX")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels, ``(..., Y, X)``."""
        return self.scribbles.shape

    @property
    def axes(self) -> str:
        """One letter for each dimension of `shape`."""
        return self.scribbles.axes

    @property
    def object_classes(self) -> Mapping[int, int]:
        """The classes of objects that are not of class 1."""
        return self._object_classes

    @property
    def nbytes(self) -> int:
        """Bytes that the labels take."""
        return self.scribbles.nbytes + self.objects.nbytes + self.verified.nbytes

    def labelled(self) -> list[Region]:
        """Return the blocks, 256 x 256 or less, in which something is labelled."""
        keys = {*self.scribbles.keys(), *self.verified.keys()}
        return [self.scribbles.region(key) for key in sorted(keys)]

    def classes(self, region: Region) -> NDArray[np.int64]:
        """Return the class of each pixel, ``(Y, X)``, -1 where not labelled."""
        return labelled_classes(
            self.scribbles.read(region),
            self.objects.read(region),
            self._object_classes,
            self.verified.read(region),
        )

    def counts(self, n_classes: int) -> NDArray[np.int64]:
        """Return the labelled pixels of each class, ``(n_classes,)``."""
        total = np.zeros(256, np.int64)
        for region in self.labelled():
            (key,) = self.scribbles.keys_in(region)
            if key not in self._counts:
                found = self.classes(region)
                self._counts[key] = np.bincount(found[found >= 0], minlength=256)
            total += self._counts[key]
        return total[:n_classes]

    def changed_since(self, version: int) -> list[Region]:
        """Return the blocks, 256 x 256 or less, written after `version`."""
        return [
            self.scribbles.region(key)
            for key, at in sorted(self._changed.items())
            if at > version
        ]

    def snapshot(self) -> Annotation:
        """Return an independent copy, which shares memory until one is changed."""
        copy = Annotation(self.shape, self.axes)
        copy.scribbles = self.scribbles.snapshot()
        copy.objects = self.objects.snapshot()
        copy.verified = self.verified.snapshot()
        copy.version = self.version
        copy._object_classes = dict(self._object_classes)
        copy._changed = dict(self._changed)
        copy._counts = dict(self._counts)
        return copy

    def write_scribbles(self, region: Region, values: NDArray[Any] | int) -> None:
        """Write scribbles, ``(Y, X)`` or one value: 0 erases, else class + 1.

        Raises
        ------
        AnnotationError
            If they are no whole numbers from 0 to 255.
        """
        self.scribbles.write(region, _checked(values, np.uint8))
        self._touch([region])

    def write_objects(
        self,
        region: Region,
        ids: NDArray[Any] | int,
        classes: Mapping[int, int] | None = None,
    ) -> None:
        """Write ids of objects, ``(Y, X)`` or one; 0 erases.

        Parameters
        ----------
        region : Region
            Where.
        ids : ndarray or int
            What.
        classes : mapping of int to int, optional
            Classes, 1 and above, of some of these ids; the others keep theirs, and
            new ones are of class 1.

        Raises
        ------
        AnnotationError
            If they are no whole numbers from 0 to 4,294,967,295.
        """
        self.objects.write(region, _checked(ids, np.uint32))
        self._touch([region])
        if classes:
            self.set_object_classes(classes)

    def set_object_classes(self, classes: Mapping[int, int]) -> None:
        """Set the classes, 1 and above, of some objects."""
        for index, label in classes.items():
            if not 1 <= label <= MOST_CLASSES:
                raise ValueError(f"an object of class {label}")
            if label == 1:
                self._object_classes.pop(index, None)
            else:
                self._object_classes[index] = label
        ids = np.fromiter(classes, np.uint32, len(classes))
        self._touch(
            self.objects.region(key)
            for key in self.objects.keys()
            if np.isin(self.objects.block(key), ids).any()
        )

    def verify(self, region: Region, complete: bool = True) -> None:
        """Say that the objects in `region` are complete, or no longer."""
        self.verified.write(region, complete)
        self._touch([region])

    def paint(self, layer: Any, within: Region | None = None) -> list[Region]:
        """Take over what differs in a painted array of scribbles.

        Parameters
        ----------
        layer : array-like
            ``(..., Y, X)``, integers from 0 to 255: what the scribbles are now.
        within : Region, optional
            Where to look; everywhere if not given.

        Returns
        -------
        list of Region
            The blocks that were different.
        """
        found = self.scribbles.differing(layer, within)
        for region in found:
            self.write_scribbles(
                region, np.asarray(layer[self.scribbles.index(region)])
            )
        return found

    def paint_objects(self, layer: Any, within: Region | None = None) -> list[Region]:
        """Take over what differs in a painted array of objects; see `paint`."""
        found = self.objects.differing(layer, within)
        for region in found:
            self.write_objects(region, np.asarray(layer[self.scribbles.index(region)]))
        return found

    def remove_class(self, index: int, into: int | None = None) -> None:
        """Follow `ClassScheme.remove`: later classes move down by one.

        Parameters
        ----------
        index : int
            The class to remove, 1 or above.
        into : int, optional
            The class, by its index before the removal, that takes over its pixels
            and objects. If not given, its scribbles are erased, and its objects too:
            their pixels are no longer verified, since nobody said what else is there.
        """
        if index < 1 or into == index:
            raise ValueError(f"class {index} cannot be removed into {into}")
        moved = np.arange(256)
        moved[index + 2 :] -= 1
        moved[index + 1] = 0 if into is None else moved[into + 1]
        self._touch(self.scribbles.apply(lambda block: moved[block]))
        if not into:
            self._remove_objects(index, keep_verified=into == 0)
        for region in map(self.objects.region, self.objects.keys()):
            self._touch([region])
        classes = {i: int(moved[self._class_of(i) + 1]) - 1 for i in self._ids()}
        self._object_classes = {i: c for i, c in classes.items() if c > 1}

    def new_id(self) -> int:
        """Return an id that no object has."""
        return max(self._ids(), default=0) + 1

    def _ids(self) -> set[int]:
        blocks = map(self.objects.block, self.objects.keys())
        return {int(i) for block in blocks for i in np.unique(block)} - {0}

    def _class_of(self, index: int) -> int:
        return self._object_classes.get(index, 1)

    def _remove_objects(self, label: int, keep_verified: bool) -> None:
        for region in map(self.objects.region, self.objects.keys()):
            ids = self.objects.read(region)
            gone = classes_of(ids, self._object_classes) == label
            self.objects.write(region, np.where(gone, 0, ids))
            if not keep_verified:
                self.verified.write(region, self.verified.read(region) & ~gone)
            self._touch([region])

    def _touch(self, regions: Iterable[Region]) -> None:
        self.version += 1
        for region in regions:
            for key in self.scribbles.keys_in(region):
                self._changed[key] = self.version
                self._counts.pop(key, None)


def _checked(values: NDArray[Any] | int, dtype: DTypeLike) -> NDArray[Any]:
    """Return labels as `dtype`, or raise what is wrong with them."""
    values = np.asarray(values)
    if values.dtype == dtype:
        return values
    most = np.iinfo(dtype).max
    if values.dtype.kind not in "iub":
        raise AnnotationError(
            f"Labels are whole numbers; these are {values.dtype.name}. Convert them to "
            "integers first."
        )
    if values.size and (values.min() < 0 or values.max() > most):
        raise AnnotationError(
            f"These labels run from {values.min()} to {values.max()}; only 0 to "
            f"{most:,} can be kept. Relabel them first."
        )
    return values.astype(dtype)
