"""Real mouse and key events on a viewer's canvas."""

import numpy as np
from gui_wait import PATIENCE, settled
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_unet.gui.image.screen import camera_of


class Mouse:
    """Draws on the canvas at positions in the data of the active layer."""

    def __init__(self, viewer) -> None:
        self._viewer = viewer

    @property
    def canvas(self):
        return self._viewer.window._qt_viewer.canvas.native

    def click(self, *at) -> None:
        self.draw(at, at, steps=1)

    def click_at(self, point: QPointF) -> None:
        """Click a point of the canvas, whatever is there."""
        self._send(QEvent.Type.MouseMove, point, pressed=False)
        self._send(QEvent.Type.MouseButtonPress, point)
        QTest.qWait(12)
        self._send(QEvent.Type.MouseButtonRelease, point, pressed=False)

    def draw(self, start, end, steps: int = 8) -> None:
        """Hold the left button from `start` to `end`, (..., y, x) each."""
        # The window may still be about to change its layout, and with it the camera.
        settled(self._camera)
        points = [self._on_canvas(p) for p in np.linspace(start, end, steps)]
        inside = self.canvas.rect()
        assert all(inside.contains(p.toPoint()) for p in points), "not on the canvas"
        self._send(QEvent.Type.MouseMove, points[0], pressed=False)
        self._send(QEvent.Type.MouseButtonPress, points[0])
        for point in points[1:]:
            # Events in quick succession are dropped.
            QTest.qWait(12)
            self._send(QEvent.Type.MouseMove, point)
        self._send(QEvent.Type.MouseButtonRelease, points[-1], pressed=False)

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        window = self.canvas.window()
        window.activateWindow()
        self.canvas.setFocus()
        assert QTest.qWaitForWindowActive(window, PATIENCE)
        QTest.keyClick(self.canvas, key, modifier)

    def _camera(self):
        camera = camera_of(self._viewer)
        return *camera.center, camera.zoom, self.canvas.width(), self.canvas.height()

    def _on_canvas(self, position) -> QPointF:
        camera, dims = camera_of(self._viewer), self._viewer.dims
        layer = self._viewer.layers.selection.active
        shown = [axis - dims.ndim for axis in dims.displayed]
        world = np.asarray(layer.data_to_world(position))[shown]
        offset = (world - np.asarray(camera.center)[-2:]) * camera.zoom
        return QPointF(
            self.canvas.width() / 2 + offset[1], self.canvas.height() / 2 + offset[0]
        )

    def _send(self, kind, at: QPointF, *, pressed: bool = True) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        moving = kind == QEvent.Type.MouseMove
        event = QMouseEvent(
            kind,
            at,
            QPointF(self.canvas.mapToGlobal(at.toPoint())),
            none if moving else left,
            left if pressed else none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.canvas, event)
