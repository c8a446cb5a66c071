"""The layer in which objects are corrected, and the numbers they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet.annotation.labels import next_id
from napari_unet.gui.annotate.label_layer import LabelLayer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.images import Region


class ObjectLayer(LabelLayer):
    """The layer ``<image> objects``: 0 or the id of an object.

    What is painted on a new one is a new object, of the class that is chosen then.

    Attributes
    ----------
    new_class : int
        The class, 1 or above, of objects yet to come.
    """

    role = "objects"

    def __init__(self, viewer: Viewer, image: AnnotatedImage) -> None:
        super().__init__(viewer, image)
        self.new_class = 1
        # Of all objects that have been seen: an erased one may come back by undo.
        self._ids = image.annotation.ids()

    @property
    def new_class_name(self) -> str | None:
        """The name of the class of objects yet to come, None without classes."""
        names = self._image.scheme.names
        return names[self.new_class] if len(names) > 1 else None

    @property
    def on_screen(self) -> NDArray[Any]:
        """The objects of the plane on screen, a view ``(Y, X)`` of the layer.

        They must be shown.
        """
        assert self.followed is not None
        at = tuple(self._image.plane_shown().values())
        plane: NDArray[Any] = self._image.target.stack(self.followed)[at]
        return plane

    def show(self) -> Labels:
        """Return the layer, made of the annotation's objects if need be."""
        new = self.layer is None
        layer = super().show()
        if new:
            self._paint_new_object()
        return layer

    def free_id(self) -> int:
        """Return an id from which on no object has one."""
        return next_id(self._ids)

    def announce(self, classes: Mapping[int, int]) -> None:
        """Say which ids are about to be drawn, with their classes."""
        self._ids |= set(classes)
        self._image.annotation.set_object_classes(classes)
        if self.layer is not None and self.layer.selected_label in classes:
            self._paint_new_object()

    def write(self, regions: Sequence[Region]) -> None:
        """Show what was written into the annotation; undo goes back no further."""
        super().write(regions)
        if regions:
            self._ids = self._image.annotation.ids()
            self._paint_new_object()

    def _paint_new_object(self) -> None:
        """Let what is painted next be no part of an object that is there."""
        if self.layer is not None:
            self.layer.selected_label = self.free_id()

    def _take(self, stack: NDArray[Any], region: Region) -> list[Region]:
        annotation = self._image.annotation
        changed = annotation.objects.differing(stack, region)
        for part in changed:
            annotation.write_objects(part, stack[annotation.objects.index(part)])
            new = annotation.ids(part) - self._ids
            self._ids |= new
            annotation.set_object_classes(dict.fromkeys(new, self.new_class))
        return changed
