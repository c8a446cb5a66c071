"""Tells when the user turns from a layer to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet.gui.parts.forms import follow

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget


class Turning(QObject):
    """Watches whether a layer stays the active one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer is.
    panel : QWidget
        This goes when it goes.

    Attributes
    ----------
    layer : napari.layers.Layer or None
        The one to watch, if any.
    away : Signal
        Another layer is active, or several are, or it has been removed.
    """

    away = Signal()

    def __init__(self, viewer: Viewer, panel: QWidget) -> None:
        super().__init__(panel)
        self.layer: Layer | None = None
        self._selection = viewer.layers.selection
        # A result layer that is added is the active one for a moment.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._look)
        follow(panel, (self._selection.events.active, self._look_soon))

    def _look_soon(self, event: Any) -> None:
        if self.layer is not None:
            self._soon.start()

    def _look(self) -> None:
        if self.layer is not None and self._selection.active is not self.layer:
            self.away.emit()
