"""How large a cell is: the length of a line that the user drags across it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_unet.gui.parts.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.image.target import Target


class DiameterLine(QObject):
    """Waits for one drag of the mouse across an image.

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
        self._target: Target | None = None
        self._turning = Turning(viewer, panel)
        self._turning.away.connect(self.stop)
        # Of the program, since the panel may be in a window of its own.
        self._escape = QShortcut(QKeySequence("Esc"), panel, enabled=False)
        self._escape.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._escape.activated.connect(self.stop)

    def start(self, target: Target) -> None:
        """Measure the next drag on an image; a drag that is awaited is given up."""
        self.stop()
        self._target, layer = target, target.layer
        self._viewer.layers.selection.active = layer
        self._turning.layer = layer
        self._escape.setEnabled(True)
        # Otherwise the drag moves the picture.
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._drag)

    def stop(self) -> None:
        """Give the mouse back."""
        layer, self._turning.layer = self._turning.layer, None
        self._target = None
        if layer is None:
            return
        self._escape.setEnabled(False)
        with suppress(ValueError):
            layer.mouse_drag_callbacks.remove(self._drag)
        layer.mouse_pan = True
        self.ended.emit()

    def _drag(self, layer: Layer, event: Any) -> Iterator[None]:
        target = self._target
        assert target is not None
        begin = target.point(layer.world_to_data(event.position))
        yield
        while event.type == "mouse_move":
            self._tell(target, begin, event)
            yield
        # A busy computer leaves out moves, but never where the button was released.
        self._tell(target, begin, event)
        self.stop()

    def _tell(self, target: Target, begin: tuple[float, float], event: Any) -> None:
        end = target.point(target.layer.world_to_data(event.position))
        length = float(np.hypot(*np.subtract(end, begin)))
        if length >= 1:
            self.measured.emit(length)
