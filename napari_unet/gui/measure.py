"""How large a cell is: the length of a line that the user drags across it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_unet.gui.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget


class DiameterLine(QObject):
    """Waits for one drag of the mouse across a layer.

    Esc and another layer give it up.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer is.
    panel : QWidget
        This goes when it goes.

    Attributes
    ----------
    measured : Signal
        The length so far, in pixels, with each move of the mouse.
    ended : Signal
        It waits no longer.
    """

    measured = Signal(float)
    ended = Signal()

    def __init__(self, viewer: Viewer, panel: QWidget) -> None:
        super().__init__(panel)
        self._viewer = viewer
        self._turning = Turning(viewer, panel)
        self._turning.away.connect(self.stop)
        # Of the program, since the panel may be in a window of its own.
        self._escape = QShortcut(QKeySequence("Esc"), panel, enabled=False)
        self._escape.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._escape.activated.connect(self.stop)

    def start(self, layer: Layer) -> None:
        """Measure the next drag on `layer`; a drag that is awaited is given up."""
        self.stop()
        self._viewer.layers.selection.active = layer
        self._turning.layer = layer
        self._escape.setEnabled(True)
        # Otherwise the drag moves the picture.
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._drag)

    def stop(self) -> None:
        """Give the mouse back."""
        layer, self._turning.layer = self._turning.layer, None
        if layer is None:
            return
        self._escape.setEnabled(False)
        with suppress(ValueError):
            layer.mouse_drag_callbacks.remove(self._drag)
        layer.mouse_pan = True
        self.ended.emit()

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
