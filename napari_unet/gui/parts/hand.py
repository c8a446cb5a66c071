"""The user's hand on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

# Milliseconds.
_BEAT = 1000


class Hand(QObject):
    """Notices that something is drawn or moved; napari tells of a stroke at its end.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        On its canvas.
    panel : QWidget
        It lives as long as this.

    Attributes
    ----------
    moves : Signal
        A mouse button was pressed, or is still down a second later.
    """

    moves = Signal()

    def __init__(self, viewer: Viewer, panel: QWidget) -> None:
        super().__init__(panel)
        self._timer = QTimer(self, interval=_BEAT)
        self._timer.timeout.connect(self.moves)
        callback = self._drag
        viewer.mouse_drag_callbacks.append(callback)
        panel.destroyed.connect(lambda: viewer.mouse_drag_callbacks.remove(callback))

    def _drag(self, viewer: Viewer, event: Any) -> Iterator[None]:
        self._timer.start()
        self.moves.emit()
        yield
        while event.type == "mouse_move":
            yield
        self._timer.stop()
