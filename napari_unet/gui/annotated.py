"""An image, its annotation, and the layers in which the user makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_unet.annotation import Annotation
from napari_unet.annotation.labels import next_id
from napari_unet.errors import AnnotationError, ImageError
from napari_unet.gui.painted import Painted
from napari_unet.gui.placement import keep_over, lay_over
from napari_unet.gui.results import forget_history
from napari_unet.gui.screen import is_flat
from napari_unet.gui.source import pixels_of, plane_on_screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.annotation import Blocks, ClassScheme
    from napari_unet.gui.results import Target
    from napari_unet.images import Region

_BRUSH = 6


class AnnotatedImage:
    """What is labelled in one image. The annotation is the truth, the layers show it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    target : Target
        The image and its layer.
    scheme : ClassScheme
        The classes to label.
    annotation : Annotation, optional
        What is labelled already.

    Attributes
    ----------
    key : str or None
        Under which it is kept on disk; None as long as that is looked up.
    name : str
        Of the image, also when its layer is gone.
    scribbles, objects : napari.layers.Labels or None
        The user's layers, where there are any.
    verified_version : int
        Grows when regions are accepted, or no longer so.
    changed : Signal
        The blocks, 256 x 256 or less, in which labels have changed.
    """

    changed = Signal(list)

    def __init__(
        self,
        viewer: Viewer,
        target: Target,
        scheme: ClassScheme,
        annotation: Annotation | None = None,
    ) -> None:
        self.target = target
        self.name = target.layer.name
        self.annotation = annotation or Annotation.of(target.image)
        self.key: str | None = None
        self.verified_version = 0
        self._viewer = viewer
        self._scheme = scheme
        self._painted: dict[str, Painted] = {}
        # Ids of objects that have been seen, and the class of those yet to come.
        self._ids = self.annotation.ids()
        self.new_object_class = 1
        self._follow(target)

    @property
    def scribbles(self) -> Labels | None:
        """The layer of scribbles, if there is one."""
        return self._layer("scribbles")

    @property
    def objects(self) -> Labels | None:
        """The layer of objects to correct, if there is one."""
        return self._layer("objects")

    @property
    def new_object_name(self) -> str | None:
        """The name of the class of objects yet to come, None without classes."""
        names = self._scheme.names
        return names[self.new_object_class] if len(names) > 1 else None

    @property
    def layers(self) -> list[Labels]:
        """The layers that the user draws on."""
        return [painted.layer for painted in self._painted.values()]

    def show_scribbles(self) -> Labels:
        """Return the layer of scribbles with the brush active, made if need be."""
        layer = self.scribbles
        if layer is None:
            layer = self._add("scribbles", self.annotation.scribbles)
            layer.brush_size = _BRUSH
            self._colour()
        self._activate(layer)
        layer.mode = "paint"
        return layer

    def show_objects(self) -> Labels:
        """Return the layer of objects, made of the annotation's if need be."""
        layer = self.objects or self._add("objects", self.annotation.objects)
        self._activate(layer)
        return layer

    def move_to(self, target: Target) -> bool:
        """Lie over another layer of the same image, if it has the same size."""
        ours = self.target.image
        if target.image.data.shape != ours.data.shape:
            return False
        self._follow(replace(target, image=replace(ours, data=target.image.data)))
        for layer in self.layers:
            lay_over(target.layer, layer)
            keep_over(target.layer, layer)
        self.rename()
        return True

    def accept(self, region: Region, complete: bool = True) -> None:
        """Say that the objects in a region are right and complete, or no longer so."""
        self.flush()
        version = self.annotation.version
        self.annotation.verify(region, complete)
        self.verified_version += 1
        self.changed.emit(self.annotation.changed_since(version))

    def new_ids(self, classes: Mapping[int, int]) -> None:
        """Announce objects that are about to be drawn, with their classes."""
        self._ids |= set(classes)
        self.annotation.set_object_classes(classes)

    def free_id(self) -> int:
        """Return an id from which on no object has one."""
        return next_id(self._ids)

    def forget(self, layer: Labels) -> None:
        """Take over the last strokes of a layer and follow it no longer."""
        for role, painted in list(self._painted.items()):
            if painted.layer is layer:
                painted.close()
                self._painted.pop(role, None)

    def flush(self) -> None:
        """Take over strokes of the last moment."""
        for painted in list(self._painted.values()):
            painted.flush()

    def rename(self, event: Any = None) -> None:
        """Follow the name of the image."""
        for role, painted in self._painted.items():
            if painted.layer.name == f"{self.name} {role}":
                painted.layer.name = f"{self.target.layer.name} {role}"
        self.name = self.target.layer.name
        image = replace(self.target.image, name=self.name)
        self.target = replace(self.target, image=image)

    def set_scheme(self, scheme: ClassScheme) -> None:
        """Show other names and colours of the classes."""
        self._scheme = scheme
        self._colour()

    def written(self, version: int) -> None:
        """Show what was written into the annotation itself after `version`.

        Undo goes back no further than this: strokes of before may be of other classes.
        """
        self.verified_version += 1
        regions = self.annotation.changed_since(version)
        for role, painted in self._painted.items():
            blocks: Blocks = getattr(self.annotation, role)
            self._fill(painted.layer, blocks, regions)
            forget_history(painted.layer)
        if regions:
            self._ids = self.annotation.ids()
            self.changed.emit(regions)

    def stack(self, role: str) -> NDArray[Any]:
        """Return the data of the layer ``"scribbles"`` or ``"objects"``.

        A view, ``(..., Y, X)`` in the order of the annotation.
        """
        return self.target.stack(self._painted[role].layer)

    def plane_shown(self) -> dict[str, int]:
        """Return which plane is on screen."""
        return plane_on_screen(
            self.target.layer, self.target.image, self._viewer.dims.point
        )

    def _plane_painted(self) -> dict[str, int] | None:
        """Return the plane that a brush paints on, None if on several."""
        return self.plane_shown() if is_flat(self._viewer, self.target) else None

    def _follow(self, target: Target) -> None:
        self.target = target
        target.layer.events.data.connect(self._take_pixels)
        target.layer.events.name.connect(self.rename)

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

    def _layer(self, role: str) -> Labels | None:
        painted = self._painted.get(role)
        if painted is None or painted.layer not in self._viewer.layers:
            return None
        return painted.layer

    def _add(self, role: str, blocks: Blocks) -> Labels:
        layer = self.target.new_layer(self._viewer, role, blocks.dtype)
        self._fill(layer, blocks, map(blocks.region, blocks.keys()))
        self._painted[role] = Painted(
            layer,
            list(blocks.planes()),
            self._plane_painted,
            lambda region: self._take(role, region),
            self.changed.emit,
        )
        return layer

    def _fill(self, layer: Labels, blocks: Blocks, regions: Iterable[Region]) -> None:
        stack = self.target.stack(layer)
        for region in regions:
            stack[blocks.index(region)] = blocks.read(region)
        layer.refresh(extent=False)

    def _activate(self, layer: Labels) -> None:
        # A layer that is shown again is drawn again, all of it.
        if not layer.visible:
            layer.visible = True
        self._viewer.layers.selection.active = layer

    def _take(self, role: str, region: Region) -> list[Region]:
        """Take over what the user painted in a region."""
        from napari.utils.notifications import show_error

        layer = self._painted[role].layer if role in self._painted else None
        if layer is None:
            return []
        if not self.target.fits(layer):
            show_error(
                f"The layer '{layer.name}' no longer has the size of the image. What "
                "is drawn on it is not kept: remove it and press Annotate."
            )
            del self._painted[role]
            return []
        stack = self.target.stack(layer)
        try:
            if role == "objects":
                return self._take_objects(stack, region)
            return self._take_scribbles(stack, region)
        except AnnotationError as error:
            show_error(str(error))
            return []

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
        changed = self.annotation.paint_objects(stack, region)
        for part in changed:
            ids = {int(i) for i in np.unique(self.annotation.objects.read(part))}
            new = ids - self._ids - {0}
            self._ids |= new
            if self.new_object_class > 1:
                self.annotation.set_object_classes(
                    dict.fromkeys(new, self.new_object_class)
                )
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
