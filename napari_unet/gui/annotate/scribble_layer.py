"""The layer in which scribbles are painted, in the colours of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_unet.gui.annotate.label_layer import LabelLayer
from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.parts.colours import only

if TYPE_CHECKING:
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_unet.images import Region

# Pixels of the image that the brush is wide, and of the screen at least.
_BRUSH, _BRUSH_SEEN = 6, 4


class ScribbleLayer(LabelLayer):
    """The layer ``<image> scribbles``: 0 not labelled, class + 1 elsewhere."""

    role = "scribbles"

    def show(self) -> Labels:
        """Return the layer with the brush active, made if need be."""
        new = self.layer is None
        layer = super().show()
        if new:
            _, across = self._image.target.point(layer.scale)
            seen = camera_of(self._viewer).zoom * across
            layer.brush_size = max(_BRUSH, round(_BRUSH_SEEN / seen))
            self.colour()
        layer.mode = "paint"
        return layer

    def choose(self, index: int) -> None:
        """Paint the class `index` from now on."""
        if self.layer is not None:
            self.layer.selected_label = index + 1

    def colour(self) -> None:
        """Show the classes in their colours of now."""
        if self.layer is not None:
            listed = enumerate(self._image.scheme.classes, start=1)
            self.layer.colormap = only({value: c.colour for value, c in listed})

    def _take(self, stack: NDArray[Any], region: Region) -> list[Region]:
        annotation, most = self._image.annotation, len(self._image.scheme)
        changed = annotation.scribbles.differing(stack, region)
        for part in changed:
            drawn = stack[annotation.scribbles.index(part)]
            # A label of no class is drawn without a colour and means nothing.
            drawn[drawn > most] = 0
            annotation.write_scribbles(part, drawn)
        return changed
