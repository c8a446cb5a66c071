"""How large a cell is: the length of a line that the user drags across it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer
    from napari.viewer import Viewer


class DiameterLine(QObject):
    """Waits for one drag of the mouse across a layer.

    Attributes
    ----------
    measured : Signal
        The length so far, in pixels, with each move of the mouse.
    """

    measured = Signal(float)

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Layer | None = None

    def start(self, layer: Layer) -> None:
        """Measure the next drag on `layer`; a drag that is awaited is given up."""
        self.stop()
        self._viewer.layers.selection.active = layer
        self._layer = layer
        # Otherwise the drag moves the picture.
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._drag)

    def stop(self) -> None:
        """Give the mouse back."""
        layer, self._layer = self._layer, None
        if layer is not None:
            with suppress(ValueError):
                layer.mouse_drag_callbacks.remove(self._drag)
            layer.mouse_pan = True

    def _drag(self, layer: Layer, event: Any) -> Iterator[None]:
        begin = np.asarray(layer.world_to_data(event.position))
        yield
        while event.type == "mouse_move":
            self._tell(layer, begin, event)
            yield
        # A busy computer leaves out moves, but never where the button was released.
        self._tell(layer, begin, event)
        self.stop()

    def _tell(self, layer: Layer, begin: Any, event: Any) -> None:
        end = np.asarray(layer.world_to_data(event.position))
        length = float(np.linalg.norm((end - begin)[-2:]))
        if length >= 1:
            self.measured.emit(length)
