"""A window with the panel, a hand that paints in it, and a clock that watches it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import QElapsedTimer, QEvent, QEventLoop, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.samples import nuclei
from napari_unet.gui.widget import UnetWidget
from napari_unet.training.events import Stepped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer
    from numpy.typing import NDArray

BEAT, HERTZ = 10, 60
BACKGROUND, OBJECT = 1, 2


class Probe:
    """Notes how late a timer of 10 ms is, in milliseconds."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._clock = QElapsedTimer()
        self._clock.start()
        self._due = 0.0
        self._timer = QTimer(interval=BEAT, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = self._clock.nsecsElapsed() / 1e6
        self.late.append(max(0.0, now - self._due))
        self._due = now + BEAT


class Painter:
    """Moves the mouse with the button down over the canvas, 60 times a second."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._angle = 0.0
        self._timer = QTimer(
            interval=round(1000 / HERTZ), timerType=Qt.TimerType.PreciseTimer
        )
        self._timer.timeout.connect(self._move)

    def start(self) -> None:
        """Press the button and go on painting."""
        self._send(QEvent.Type.MouseMove, self._at(), pressed=False)
        self._send(QEvent.Type.MouseButtonPress, self._at())
        self._timer.start()

    def stop(self) -> None:
        """Let the button go."""
        if self._timer.isActive():
            self._timer.stop()
            self._send(QEvent.Type.MouseButtonRelease, self._at(), pressed=False)

    def line(self, y: float, x: float, length: int = 10) -> None:
        """Paint a short line at once."""
        points = [self._on_canvas(y, x + d) for d in range(length)]
        # Events in quick succession are dropped.
        run(1 / HERTZ)
        self._send(QEvent.Type.MouseMove, points[0], pressed=False)
        run(1 / HERTZ)
        self._send(QEvent.Type.MouseButtonPress, points[0])
        for point in points[1:]:
            run(1 / HERTZ)
            self._send(QEvent.Type.MouseMove, point)
        self._send(QEvent.Type.MouseButtonRelease, points[-1], pressed=False)

    def _move(self) -> None:
        self._angle += 0.03
        self._send(QEvent.Type.MouseMove, self._at())

    def _at(self) -> QPointF:
        radius = 60 + 40 * math.sin(self._angle / 7)
        return self._on_canvas(
            256 + radius * math.sin(self._angle), 256 + radius * math.cos(self._angle)
        )

    def _on_canvas(self, y: float, x: float) -> QPointF:
        camera = camera_of(self._viewer)
        canvas = self._viewer.window._qt_viewer.canvas.native
        middle = np.asarray(camera.center)[-2:]
        dy, dx = (np.array([y, x]) - middle) * camera.zoom
        return QPointF(canvas.width() / 2 + dx, canvas.height() / 2 + dy)

    def _send(self, kind: QEvent.Type, at: QPointF, *, pressed: bool = True) -> None:
        canvas = self._viewer.window._qt_viewer.canvas.native
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        event = QMouseEvent(
            kind,
            at,
            QPointF(canvas.mapToGlobal(at.toPoint())),
            none if kind == QEvent.Type.MouseMove else left,
            left if pressed else none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(canvas, event)


def run(seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Let the event loop run so long, or until something is so."""
    loop = QEventLoop()
    end = QTimer(singleShot=True, interval=round(1000 * seconds))
    end.timeout.connect(loop.quit)
    look = QTimer(interval=20)
    look.timeout.connect(lambda: loop.quit() if until() else None)
    end.start()
    look.start()
    loop.exec()


class Window:
    """napari with the panel, and what training and previews have told."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1400, 900)
        pixels, truth = nuclei()[1][0], nuclei()[0][0]
        self.truth: NDArray[np.bool_] = truth > 0
        self.image = self.viewer.add_image(pixels, name="nuclei")
        self.widget = UnetWidget(self.viewer)
        self.viewer.window.add_dock_widget(self.widget, name="U-Net")
        camera_of(self.viewer).zoom = 1.3
        self.panel = self.widget.live_panel
        self.live = self.widget.session.live
        self.probe = Probe()
        self.painter = Painter(self.viewer)
        self.steps: list[tuple[float, Stepped]] = []
        self.seen: list[tuple[float, int, NDArray[np.uint8]]] = []
        self.live.told.connect(self._hear)
        self.panel.view.shown.connect(self._see)
        self.widget.annotate_panel.annotate.click()
        run(30, lambda: self.widget.annotate_panel.image)
        self.scribbles = self.viewer.layers["nuclei scribbles"]
        self.scribbles.brush_size = 5

    def _hear(self, event: object) -> None:
        if isinstance(event, Stepped):
            self.steps.append((time.perf_counter(), event))

    def _see(self, seen: object) -> None:
        self.seen.append((time.perf_counter(), seen.step, seen.semantic))

    def paint_some(self, n: int = 6) -> None:
        """Paint short lines of both classes."""
        for label, mask in ((OBJECT, self.truth), (BACKGROUND, ~self.truth)):
            self.scribbles.selected_label = label
            for y, x in places(mask, n, seed=label):
                self.painter.line(y, x)

    def phase(self, seconds: float, *, painting: bool) -> tuple[list[float], int]:
        """Return the delays in milliseconds, and the steps, of some seconds."""
        self.scribbles.selected_label = BACKGROUND
        if painting:
            self.painter.start()
            run(1.0)
        self.probe.late.clear()
        before = len(self.steps)
        run(seconds)
        late, steps = self.probe.late.copy(), len(self.steps) - before
        self.painter.stop()
        return late, steps

    def stroke_to_preview(self, y: int, x: int) -> tuple[float, float]:
        """Return seconds from a stroke to a preview that has learnt from it.

        The first one by weights after a step with the stroke, and the first one that
        shows most of it as painted. Infinite if there is none, as for a stroke that is
        held out for validation.
        """
        labelled = self.steps[-1][1].labelled
        self.scribbles.selected_label = OBJECT
        before = self.scribbles.data == OBJECT
        self.painter.line(y, x)
        new = (self.scribbles.data == OBJECT) & ~before
        started, first = time.perf_counter(), len(self.seen)

        def learnt() -> float | None:
            step = next((s.step for _, s in self.steps if s.labelled > labelled), None)
            return next(
                (t for t, at, _ in self.seen[first:] if step and at >= step), None
            )

        def shown() -> float | None:
            return next(
                (t for t, _, s in self.seen[first:] if s[new].mean() > 0.5), None
            )

        run(10, lambda: learnt() and shown())
        times = (learnt(), shown())
        return tuple(math.inf if t is None else t - started for t in times)


def places(mask: NDArray[np.bool_], n: int, seed: int) -> list[tuple[int, int]]:
    """Return where short lines lie inside a mask."""
    inside = mask & np.roll(mask, -12, axis=1)
    ys, xs = np.nonzero(inside[40:-40, 40:-60])
    chosen = np.random.default_rng(seed).choice(len(ys), n, replace=False)
    return [(int(ys[i]) + 40, int(xs[i]) + 40) for i in chosen]
