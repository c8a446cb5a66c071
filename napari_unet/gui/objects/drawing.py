"""The line that is being drawn with a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.gui.parts.colours import only
from napari_unet.instances.edit import line_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.gui.annotate.annotated import AnnotatedImage


# Pixels that a plane has at least on the screen. A thinner line falls between them.
_CANVAS = 600


class Drawing:
    """A label layer that shows a line for as long as a tool is in use.

    Not a layer of shapes: drivers crash when one goes while others are drawn
    (https://github.com/napari/napari/issues/6472).

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where to draw.
    image : AnnotatedImage
        On which image.
    """

    def __init__(self, viewer: Viewer, image: AnnotatedImage) -> None:
        self._viewer = viewer
        self._image = image
        self._layer = image.target.new_layer(viewer, "drawing", np.uint8)
        self._layer.colormap = only({1: "white"})
        # The plane in which there is a line, and its pixels.
        self._shown = image.plane_shown(), np.empty((0, 2), np.int64)

    def show(self, path: Sequence[tuple[float, float]]) -> None:
        """Show a line, (y, x) each, in place of the last one; none if it is empty."""
        if self._layer not in self._viewer.layers:
            return
        self._write(0)
        pixels = self._thick(line_pixels(path)) if path else np.empty((0, 2), np.int64)
        self._shown = self._image.plane_shown(), pixels
        self._write(1)

    def close(self) -> None:
        """Take the layer away."""
        if self._layer in self._viewer.layers:
            selected = set(self._viewer.layers.selection)
            self._viewer.layers.remove(self._layer)
            self._viewer.layers.selection = selected - {self._layer}

    def _write(self, value: int) -> None:
        plane, pixels = self._shown
        if len(pixels):
            at = self._image.target.position(plane, *pixels.T)
            indices = tuple(np.broadcast_to(i, len(pixels)) for i in at)
            self._layer.data_setitem(indices, value)

    def _thick(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Widen a line, and cut off what leaves the plane."""
        shape = self._image.annotation.shape[-2:]
        width = np.arange(line_width(shape)) - line_width(shape) // 2
        steps = np.stack(np.meshgrid(width, width), axis=-1).reshape(-1, 2)
        wide = np.unique((pixels[:, None] + steps).reshape(-1, 2), axis=0)
        return wide[((wide >= 0) & (wide < shape)).all(axis=1)]


def line_width(shape: tuple[int, ...]) -> int:
    """Return how many pixels wide a line must be to be seen in all of a plane."""
    return 1 + max(shape[-2:]) // _CANVAS
