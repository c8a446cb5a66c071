"""What a user has labelled in one image."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.annotation.blocks import Blocks, Key
from napari_unet.annotation.classes import MOST_CLASSES
from napari_unet.annotation.labels import as_labels
from napari_unet.annotation.targets import labelled_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_unet.images import Image
    from napari_unet.images.region import Region

# What an annotation is made of: `Blocks` each, of one shape.
LAYERS = ("scribbles", "objects", "verified", "split")
# What a pixel of `split` says.
TRAINING, HELD_OUT = 1, 2


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
    split : Blocks
        ``(..., Y, X)``, uint8: 0 undecided, 1 labels to train with, 2 labels held out
        for validation; `hold_out` decides.
    object_classes : mapping of int to int
        The classes of objects that are not of class 1.
    channels : tuple of int
        Those of the image that a model is shown, counted from 0; empty where nobody
        has decided.
    version : int
        Grows with every change of a label.
    lineage : str
        The same in all snapshots of one annotation, and in no other.
    """

    def __init__(self, shape: tuple[int, ...], axes: str = "YX") -> None:
        self.scribbles = Blocks(shape, np.uint8, axes)
        self.objects = Blocks(shape, np.uint32, axes)
        self.verified = Blocks(shape, np.bool_, axes)
        self.split = Blocks(shape, np.uint8, axes)
        self.channels: tuple[int, ...] = ()
        self.version = 0
        self.lineage = uuid.uuid4().hex
        self._object_classes: dict[int, int] = {}
        self._changed: dict[Key, int] = {}
        self._undecided: set[Key] = set()
        self._tallies: dict[Key, NDArray[np.int64]] = {}

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

    def name_axes(self, axes: str) -> None:
        """Call the dimensions of `shape` by other letters, ending in ``YX``."""
        for name in LAYERS:
            getattr(self, name).axes = axes

    def labelled(self) -> list[Region]:
        """Return the blocks, 256 x 256 or less, in which something is labelled."""
        return [self.scribbles.region(key) for key in self._labelled_keys()]

    def classes(self, region: Region) -> NDArray[np.int64]:
        """Return the class of each pixel, ``(Y, X)``, -1 where not labelled."""
        return labelled_classes(
            self.scribbles.read(region),
            self.objects.read(region),
            self._object_classes,
            self.verified.read(region),
        )

    def held_out(self, region: Region) -> NDArray[np.bool_]:
        """Return which labels are for validation only, ``(Y, X)``, bool."""
        held: NDArray[np.bool_] = self.split.read(region) == HELD_OUT
        return held

    def counts(self, n_classes: int) -> NDArray[np.int64]:
        """Return the labelled pixels of each class, ``(n_classes,)``."""
        counts: NDArray[np.int64] = self.tally()[:n_classes].sum(axis=1)
        return counts

    def tally(self) -> NDArray[np.int64]:
        """Return the labelled pixels of each class and part, ``(256, 3)``.

        The parts are those of `split`: undecided, training, held out.
        """
        total = np.zeros((256, 3), np.int64)
        for part in self.tallies():
            total += part
        return total

    def tallies(self) -> Iterator[NDArray[np.int64]]:
        """Yield the tally of one block after the other; `tally` is their sum.

        A block is counted once, and then again when it has changed.
        """
        for key in self._labelled_keys():
            if key not in self._tallies:
                self._tallies[key] = self._tally_of(self.split.region(key))
            yield self._tallies[key]

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
        copy.split = self.split.snapshot()
        copy.channels = self.channels
        copy.version = self.version
        copy.lineage = self.lineage
        copy._object_classes = dict(self._object_classes)
        copy._changed = dict(self._changed)
        copy._undecided = set(self._undecided)
        copy._tallies = dict(self._tallies)
        return copy

    def follow(self, other: Annotation) -> None:
        """Take over the labels of a snapshot of the same shape, but not its `split`."""
        ours = (self.scribbles, self.objects, self.verified)
        theirs = (other.scribbles, other.objects, other.verified)
        changed = {k for a, b in zip(ours, theirs, strict=True) for k in a.follow(b)}
        if changed:
            self._touch_keys(changed)
        ids = self._object_classes.keys() | other.object_classes.keys()
        self.set_object_classes({i: other.object_classes.get(i, 1) for i in ids})

    def follow_objects(self, objects: Blocks) -> None:
        """Take over all objects: a snapshot of another one's `objects`."""
        self._touch_keys(self.objects.follow(objects))

    def follow_split(self, split: Blocks) -> None:
        """Take over which labels are held out: a snapshot of another one's `split`."""
        undecided = self._undecided.copy()
        self._touch_keys(self.split.follow(split))
        self._undecided = undecided

    def write_scribbles(self, region: Region, values: NDArray[Any] | int) -> None:
        """Write scribbles, ``(Y, X)`` or one value: 0 erases, else class + 1.

        Raises
        ------
        AnnotationError
            If they are no whole numbers from 0 to 255.
        """
        self.scribbles.write(region, as_labels(values, np.uint8))
        self._touch([region])

    def write_objects(self, region: Region, ids: NDArray[Any] | int) -> None:
        """Write ids of objects, ``(Y, X)`` or one; 0 erases.

        Ids keep their classes, see `set_object_classes`; new ones are of class 1.

        Raises
        ------
        AnnotationError
            If they are no whole numbers from 0 to 4,294,967,295.
        """
        self.objects.write(region, as_labels(ids, np.uint32))
        self._touch([region])

    def set_object_classes(self, classes: Mapping[int, int]) -> None:
        """Set the classes, 1 and above, of some objects."""
        news = {i: c for i, c in classes.items() if c != self._object_classes.get(i, 1)}
        for index, label in news.items():
            if not 1 <= label <= MOST_CLASSES:
                raise ValueError(f"an object of class {label}")
            if label == 1:
                del self._object_classes[index]
            else:
                self._object_classes[index] = label
        if news:
            ids = news.keys()
            self._touch_keys(
                key
                for key in self.objects.keys()
                if not ids.isdisjoint(self.objects.values(key).tolist())
            )

    def verify(self, region: Region, complete: NDArray[np.bool_] | bool = True) -> None:
        """Say where in `region`, ``(Y, X)`` or all over, the objects are complete."""
        self.verified.write(region, complete)
        self._touch([region])

    def assign(self, region: Region, split: NDArray[np.uint8]) -> None:
        """Write which labels are held out, ``(Y, X)``; see `split`."""
        if not np.array_equal(split, self.split.read(region)):
            self.split.write(region, split)
            undecided = self._undecided.copy()
            self._touch([region])
            self._undecided = undecided

    def take_undecided(self) -> set[Key]:
        """Return the blocks whose labels changed since this was last asked."""
        taken, self._undecided = self._undecided, set()
        return taken

    def ids(self, within: Region | None = None) -> set[int]:
        """Return the ids of all objects, or of those in the blocks `within` meets."""
        objects = self.objects
        keys = objects.keys() if within is None else objects.keys_in(within)
        return {i for key in keys for i in objects.values(key).tolist()}

    def _labelled_keys(self) -> list[Key]:
        return sorted({*self.scribbles.keys(), *self.verified.keys()})

    def _tally_of(self, region: Region) -> NDArray[np.int64]:
        classes = self.classes(region)
        cell = classes * 3 + self.split.read(region)
        counts = np.bincount(cell[classes >= 0], minlength=256 * 3)
        return counts.reshape(256, 3)

    def _touch(self, regions: Iterable[Region]) -> None:
        self._touch_keys(k for r in regions for k in self.scribbles.keys_in(r))

    def _touch_keys(self, keys: Iterable[Key]) -> None:
        self.version += 1
        for key in keys:
            self._changed[key] = self.version
            self._undecided.add(key)
            self._tallies.pop(key, None)
