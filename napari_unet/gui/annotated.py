"""An image, its annotation, and the layers in which the user makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_unet.annotation import Annotation
from napari_unet.annotation.labels import next_id
from napari_unet.errors import ImageError
from napari_unet.gui.accepted import Accepted
from napari_unet.gui.label_layer import LabelLayer
from napari_unet.gui.screen import camera_of
from napari_unet.gui.source import pixels_of, plane_on_screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.target import Target
    from napari_unet.images import Region

# Pixels of the image that the brush is wide, and of the screen at least.
_BRUSH, _BRUSH_SEEN = 6, 4


class AnnotatedImage:
    """What is labelled in one image. The annotation is the truth, the layers show it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    target : Target
        The image and its layer.
    key : str
        Under which it is kept on disk.
    scheme : ClassScheme
        The classes to label.
    annotation : Annotation, optional
        What is labelled already.

    Attributes
    ----------
    name : str
        Of the image, also when its layer is gone.
    changed : Signal
        The blocks, 256 x 256 or less, in which labels have changed.
    """

    changed = Signal(list)

    def __init__(
        self,
        viewer: Viewer,
        target: Target,
        key: str,
        scheme: ClassScheme,
        annotation: Annotation | None = None,
    ) -> None:
        self.target = target
        self.key = key
        self.name = target.layer.name
        self.annotation = annotation or Annotation.of(target.image)
        self._viewer = viewer
        self._scheme = scheme
        self._scribbles = LabelLayer(viewer, self, "scribbles", self._take_scribbles)
        self._objects = LabelLayer(viewer, self, "objects", self._take_objects)
        self._accepted = Accepted(viewer, self)
        # Ids of objects that have been seen, and the class of those yet to come.
        self._ids = self.annotation.ids()
        self.new_object_class = 1
        self._follow(target)

    @property
    def scribbles(self) -> Labels | None:
        """The layer of scribbles, if there is one."""
        return self._scribbles.layer

    @property
    def objects(self) -> Labels | None:
        """The layer of objects to correct, if there is one."""
        return self._objects.layer

    @property
    def layers(self) -> list[Labels]:
        """The layers that the user draws on."""
        layers = (self._scribbles.followed, self._objects.followed)
        return [layer for layer in layers if layer is not None]

    @property
    def new_object_name(self) -> str | None:
        """The name of the class of objects yet to come, None without classes."""
        names = self._scheme.names
        return names[self.new_object_class] if len(names) > 1 else None

    def choose(self, index: int) -> None:
        """Paint the class `index` from now on, and let new objects be of it."""
        self.new_object_class = max(index, 1)
        if self.scribbles is not None:
            self.scribbles.selected_label = index + 1

    def show_scribbles(self) -> Labels:
        """Return the layer of scribbles with the brush active, made if need be."""
        new = self.scribbles is None
        layer = self._scribbles.show()
        if new:
            _, across = self.target.point(layer.scale)
            seen = camera_of(self._viewer).zoom * across
            layer.brush_size = max(_BRUSH, round(_BRUSH_SEEN / seen))
            self._colour()
        layer.mode = "paint"
        return layer

    def show_objects(self) -> Labels:
        """Return the layer of objects, made of the annotation's if need be.

        What is painted on a new one is a new object.
        """
        new = self.objects is None
        layer = self._objects.show()
        if new:
            self._paint_new_object()
        return layer

    def show_accepted(self) -> None:
        """Show which regions are accepted."""
        self._accepted.show()

    def move_to(self, target: Target) -> bool:
        """Lie over another layer of the same image, if it has the same size."""
        ours = self.target.image
        if target.image.data.shape != ours.data.shape:
            return False
        self._follow(replace(target, image=replace(ours, data=target.image.data)))
        for part in (self._scribbles, self._objects, self._accepted):
            part.move()
        self._take_name()
        self._lower_image()
        return True

    def accept(self, region: Region, complete: bool = True) -> None:
        """Say that the objects in a region are right and complete, or no longer so."""
        self.flush()
        version = self.annotation.version
        self.annotation.verify(region, complete)
        self._accepted.show()
        self.changed.emit(self.annotation.changed_since(version))

    def new_ids(self, classes: Mapping[int, int]) -> None:
        """Announce objects that are about to be drawn, with their classes."""
        self._ids |= set(classes)
        self.annotation.set_object_classes(classes)
        if self.objects is not None and self.objects.selected_label in classes:
            self._paint_new_object()

    def objects_drawn(self, plane: Mapping[str, int]) -> None:
        """Say that objects were drawn in a plane, which may not be on screen."""
        self._objects.look_at(plane)

    def free_id(self) -> int:
        """Return an id from which on no object has one."""
        return next_id(self._ids)

    def forget(self, layer: Any) -> None:
        """Take over the last strokes of a layer that is gone, and follow it no longer.

        Nothing happens if it is none of this image's.
        """
        self._scribbles.forget(layer)
        self._objects.forget(layer)

    def close(self) -> None:
        """Show nothing any more."""
        self._accepted.remove()

    def flush(self) -> None:
        """Take over strokes of the last moment."""
        self._scribbles.flush()
        self._objects.flush()

    def set_scheme(self, scheme: ClassScheme) -> None:
        """Show other names and colours of the classes."""
        self._scheme = scheme
        self._colour()

    def written(self, version: int) -> None:
        """Show what was written into the annotation itself after `version`.

        Undo goes back no further than this: strokes of before may be of other classes.
        """
        regions = self.annotation.changed_since(version)
        self._scribbles.write(regions)
        self._objects.write(regions)
        self._accepted.show()
        if regions:
            self._ids = self.annotation.ids()
            self._paint_new_object()
            self.changed.emit(regions)

    def objects_shown(self) -> NDArray[Any]:
        """Return the objects of the plane on screen, a view ``(Y, X)`` of their layer.

        They must be shown.
        """
        assert self._objects.followed is not None
        at = tuple(self.plane_shown().values())
        plane: NDArray[Any] = self.target.stack(self._objects.followed)[at]
        return plane

    def plane_shown(self) -> dict[str, int]:
        """Return which plane is on screen."""
        return plane_on_screen(
            self.target.layer, self.target.image, self._viewer.dims.point
        )

    def _paint_new_object(self) -> None:
        """Let what is painted next be no part of an object that is there."""
        if self.objects is not None:
            self.objects.selected_label = self.free_id()

    def _lower_image(self) -> None:
        """Let labels lie above an image that was opened after them."""
        layers = self._viewer.layers
        ours = [x for x in layers if x in self.layers or x is self._accepted.layer]
        lowest = min(map(layers.index, ours))
        if layers.index(self.target.layer) > lowest:
            self.target.lower(self._viewer, lowest)

    def _follow(self, target: Target) -> None:
        self.target = target
        target.layer.events.data.connect(self._take_pixels)
        target.layer.events.name.connect(self._take_name)

    def _take_name(self, event: Any = None) -> None:
        self.name = self.target.layer.name
        image = replace(self.target.image, name=self.name)
        self.target = replace(self.target, image=image)

    def _take_pixels(self, event: Any = None) -> None:
        """Go on with other pixels of the image, if they are as many."""
        from napari.utils.notifications import show_error

        pixels, image = pixels_of(self.target.layer), self.target.image
        if pixels.shape != image.data.shape:
            show_error(
                f"The image '{self.name}' has another size now than its labels. They "
                "are kept as they were; give the image its size back, or open the new "
                "one in a layer of its own and press Annotate there."
            )
            return
        try:
            self.target = replace(self.target, image=replace(image, data=pixels))
        except ImageError as error:
            show_error(str(error))

    def _take_scribbles(self, stack: NDArray[Any], region: Region) -> list[Region]:
        annotation, most = self.annotation, len(self._scheme)
        changed = annotation.scribbles.differing(stack, region)
        for part in changed:
            drawn = stack[annotation.scribbles.index(part)]
            # A label of no class is drawn without a colour and means nothing.
            drawn[drawn > most] = 0
            annotation.write_scribbles(part, drawn)
        return changed

    def _take_objects(self, stack: NDArray[Any], region: Region) -> list[Region]:
        annotation = self.annotation
        changed = annotation.objects.differing(stack, region)
        for part in changed:
            annotation.write_objects(part, stack[annotation.objects.index(part)])
            new = annotation.ids(part) - self._ids
            self._ids |= new
            annotation.set_object_classes(dict.fromkeys(new, self.new_object_class))
        return changed

    def _colour(self) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        layer = self.scribbles
        if layer is not None:
            colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
            colours.update(
                (value, c.colour) for value, c in enumerate(self._scheme.classes, 1)
            )
            layer.colormap = DirectLabelColormap(color_dict=colours)
