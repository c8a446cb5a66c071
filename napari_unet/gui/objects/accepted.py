"""The accepted regions of an image, shown as outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer

from napari_unet.gui.image.placement import move_over
from napari_unet.gui.objects.drawing import line_width
from napari_unet.gui.parts.colours import only
from napari_unet.images import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.annotation.blocks import Key
    from napari_unet.gui.annotate.annotated import AnnotatedImage

_COLOUR = "#009e73"


class Accepted:
    """The layer ``<image> accepted``: outlines of what is verified.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where it is shown.
    image : AnnotatedImage
        Whose regions they are.

    Attributes
    ----------
    layer : napari.layers.Labels or None
        The layer, if there ever was something to show.
    """

    def __init__(self, viewer: Viewer, image: AnnotatedImage) -> None:
        self._image = image
        self._viewer = viewer
        self.layer: Labels | None = None
        self._boxes: list[Region] = []

    def show(self) -> None:
        """Draw the outlines of what is accepted now."""
        boxes = list(self._boxes_now())
        if self.layer is not None and self.layer not in self._viewer.layers:
            self.layer, self._boxes = None, []
        if self.layer is None:
            if not boxes:
                return
            self.layer = self._add()
        stack = self._image.target.stack(self.layer)
        verified = self._image.annotation.verified
        for box in self._boxes:
            stack[verified.index(box)] = 0
        self._draw(stack)
        self._boxes = boxes
        self.layer.refresh(extent=False)

    def move(self) -> None:
        """Lie over the image's layer, which is another one now."""
        if self.layer is not None:
            move_over(self._image.target.layer, self.layer, self._image.name)

    def remove(self) -> None:
        """Take the layer away, soon: napari may be about to remove others."""
        layer, layers = self.layer, self._viewer.layers

        def remove() -> None:
            if layer in layers:
                layers.remove(layer)

        QTimer.singleShot(0, remove)

    def _draw(self, stack: NDArray[np.uint8]) -> None:
        """Draw what lies within a line's width of the end of a region."""
        from scipy.ndimage import minimum_filter

        verified = self._image.annotation.verified
        width = line_width(self._image.annotation.shape)
        whole = {key for key in verified.keys() if verified.block(key).all()}
        for key in verified.keys():
            # Blocks are wider than a line, so only those beside count.
            if whole.issuperset(_around(key)):
                continue
            box = verified.region(key)
            wider = Region(
                box.y0 - width, box.x0 - width, box.y1 + width, box.x1 + width,
                box.plane,
            )  # fmt: skip
            mask = verified.read(wider)
            inside = minimum_filter(mask, 2 * width + 1)
            middle = slice(width, -width)
            stack[verified.index(box)] = (mask & ~inside)[middle, middle]

    def _add(self) -> Labels:
        layer = self._image.target.new_layer(self._viewer, "accepted", np.uint8)
        layer.colormap = only({1: _COLOUR})
        layer.editable = False
        return layer

    def _boxes_now(self) -> Iterator[Region]:
        """Yield, for each plane, a box around what is accepted in it."""
        verified = self._image.annotation.verified
        planes: dict[tuple[int, ...], list[Region]] = {}
        for key in verified.keys():
            planes.setdefault(key[:-2], []).append(verified.region(key))
        for regions in planes.values():
            yield Region(
                min(r.y0 for r in regions),
                min(r.x0 for r in regions),
                max(r.y1 for r in regions),
                max(r.x1 for r in regions),
                regions[0].plane,
            )


def _around(key: Key) -> Iterator[Key]:
    """Yield the keys of a block and of those beside it and at its corners."""
    *plane, row, column = key
    for y in (row - 1, row, row + 1):
        for x in (column - 1, column, column + 1):
            yield (*plane, y, x)
