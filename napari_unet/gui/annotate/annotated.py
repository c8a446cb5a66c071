"""An image, its annotation, and the layers in which the user makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_unet.annotation import Annotation
from napari_unet.gui.annotate.scribble_layer import ScribbleLayer
from napari_unet.gui.image.source import pixels_of, plane_on_screen
from napari_unet.gui.objects.accepted import Accepted
from napari_unet.gui.objects.object_layer import ObjectLayer
from napari_unet.gui.parts.notices import user_errors

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer

    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.image.target import Target
    from napari_unet.images import Region


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
    scheme : ClassScheme
        The classes to label.
    scribble_layer, object_layer
        In which they are drawn.
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
        self.scheme = scheme
        self.scribble_layer = ScribbleLayer(viewer, self)
        self.object_layer = ObjectLayer(viewer, self)
        self._viewer = viewer
        self._accepted = Accepted(viewer, self)
        self._follow(target)

    @property
    def scribbles(self) -> Labels | None:
        """The layer of scribbles, if there is one."""
        return self.scribble_layer.layer

    @property
    def objects(self) -> Labels | None:
        """The layer of objects to correct, if there is one."""
        return self.object_layer.layer

    @property
    def layers(self) -> list[Labels]:
        """The layers that the user draws on."""
        layers = (self.scribble_layer.followed, self.object_layer.followed)
        return [layer for layer in layers if layer is not None]

    def choose(self, index: int) -> None:
        """Paint the class `index` from now on, and let new objects be of it."""
        self.object_layer.new_class = max(index, 1)
        self.scribble_layer.choose(index)

    def show_accepted(self) -> None:
        """Show which regions are accepted."""
        self._accepted.show()

    def move_to(self, target: Target) -> bool:
        """Lie over another layer of the same image, if it has the same size."""
        ours = self.target.image
        if target.image.data.shape != ours.data.shape:
            return False
        self._follow(replace(target, image=replace(ours, data=target.image.data)))
        for part in (self.scribble_layer, self.object_layer, self._accepted):
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

    def forget(self, layer: Any) -> None:
        """Take over the last strokes of a layer that is gone, and follow it no longer.

        Nothing happens if it is none of this image's.
        """
        self.scribble_layer.forget(layer)
        self.object_layer.forget(layer)

    def close(self) -> None:
        """Show nothing any more."""
        self._accepted.remove()

    def flush(self) -> None:
        """Take over strokes of the last moment."""
        self.scribble_layer.flush()
        self.object_layer.flush()

    def set_scheme(self, scheme: ClassScheme) -> None:
        """Show other names and colours of the classes."""
        self.scheme = scheme
        self.scribble_layer.colour()

    def written(self, version: int) -> None:
        """Show what was written into the annotation itself after `version`.

        Undo goes back no further than this: strokes of before may be of other classes.
        """
        regions = self.annotation.changed_since(version)
        self.scribble_layer.write(regions)
        self.object_layer.write(regions)
        self._accepted.show()
        if regions:
            self.changed.emit(regions)

    def plane_shown(self) -> dict[str, int]:
        """Return which plane is on screen."""
        return plane_on_screen(
            self.target.layer, self.target.image, self._viewer.dims.point
        )

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
        with user_errors():
            self.target = replace(self.target, image=replace(image, data=pixels))
