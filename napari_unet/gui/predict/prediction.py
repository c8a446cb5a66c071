"""One prediction: from Predict to the layers on screen."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal
from superqt.utils import create_worker

from napari_unet.errors import UnetError
from napari_unet.gui.image.source import has_axes_of
from napari_unet.gui.parts.background import activity, start
from napari_unet.gui.parts.notices import report
from napari_unet.gui.predict.exchange import PlaneLabels
from napari_unet.gui.predict.planes import predict_planes

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.image.target import Target
    from napari_unet.gui.predict.planes import Job
    from napari_unet.gui.session import UnetSession

# Milliseconds. Each time much of the window is drawn, and of a film there may be
# hundreds of slices in a second: while they are drawn one by one nothing else happens.
_REDRAW = 100


class Prediction(QObject):
    """A running prediction. It ends with `finished`, `cancelled` or `failed`.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are shown.
    session : UnetSession
        Its engine and result layers.
    target : Target
        The image and its layer.
    job : Job
        What to predict.

    Attributes
    ----------
    progressed : Signal
        Tiles done, and tiles in all.
    warned : Signal
        Something the user should know.
    finished : Signal
        A line on what was found; everything is on screen.
    cancelled : Signal
        It was given up, with a line on the slices that are on screen.
    failed : Signal
        Why, for the user; empty where a mistake in the program was reported.
    """

    progressed = Signal(int, int)
    warned = Signal(str)
    finished = Signal(str)
    cancelled = Signal(str)
    failed = Signal(str)
    _event = Signal(object)

    def __init__(
        self, viewer: Viewer, session: UnetSession, target: Target, job: Job
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._engine = session.engine
        self._results = session.results_of(target.layer)
        self._target = target
        self._job = job
        self._stop = threading.Event()
        self._request = 0
        self._objects = self._planes = 0
        # Slices and volumes whose objects are numbered apart from each other.
        self._parts = 0
        self._device = ""
        self._tiles = (0, 0)
        self._started = time.perf_counter()
        self._activity = activity(f"U-Net: {job.image.name}")
        self._bar_moves = False
        self._then_draw = QTimer(self, singleShot=True, interval=_REDRAW)
        self._then_draw.timeout.connect(self._draw)
        self._event.connect(self._take)
        viewer.layers.events.removed.connect(self._layer_removed)
        target.layer.events.data.connect(self._pixels_replaced)

    def start(self) -> None:
        """Begin, in another thread."""
        worker = create_worker(self._run, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self._end)
        worker.errored.connect(self._break)
        start(worker)

    def cancel(self) -> None:
        """Give up, within one tile."""
        self._stop.set()
        if self._request:
            self._engine.cancel(self._request)

    def _run(self) -> str:
        """In the worker: pass the events on; return what the user must mend."""
        try:
            for event in predict_planes(self._engine, self._job, self._go_on):
                self._event.emit(event)
        except UnetError as error:
            return str(error)
        return ""

    def _go_on(self, request: int) -> bool:
        self._request = request
        return not self._stop.is_set()

    def _take(self, event: Any) -> None:
        """Show what happened, on the main thread."""
        from napari_unet.inference import events

        match event:
            case PlaneLabels():
                self._write(event)
            case events.Planned():
                self._device = event.device
                self._tiles = (0, event.tiles)
            case events.TileDone():
                self._tiles = (event.done, event.total)
            case events.PlaneDone():
                self._planes += not self._stop.is_set()
                self._parts += 1
            case events.VolumeDone():
                self._parts -= len(event.planes) - 1
            case events.Predicted():
                self._objects = event.objects
            case events.Warned():
                self.warned.emit(event.text)
        if not self._then_draw.isActive():
            self._then_draw.start()

    def _draw(self) -> None:
        """Show what has been predicted since, and how far it is."""
        self._results.draw()
        done, total = self._tiles
        if total:
            # First, because this prediction may end while the bar moves.
            self.progressed.emit(done, total)
            self._move_bar(done, total)

    def _move_bar(self, done: int, total: int) -> None:
        """Move napari's bar, which lets other events through meanwhile.

        The tiles among them do not move it again: thousands may be waiting, each inside
        the one before.
        """
        if self._bar_moves:
            return
        self._bar_moves = True
        try:
            self._activity.total = total
            self._activity.update(done - self._activity.n)
        finally:
            self._bar_moves = False

    def _write(self, labels: PlaneLabels) -> None:
        if not self._stop.is_set():
            classes = self._job.spec.classes
            self._results.write(self._viewer, self._target, labels, classes)

    def _layer_removed(self, event: Any) -> None:
        if event.value is self._target.layer:
            self.cancel()

    def _pixels_replaced(self, event: Any) -> None:
        """Give up where labels of what was there could not be laid over it."""
        if not self._over_image():
            self.cancel()

    def _over_image(self) -> bool:
        return has_axes_of(self._target.layer, self._target.image)

    def _end(self, problem: str) -> None:
        self._close()
        if self._stop.is_set():
            self.cancelled.emit(self._kept())
        elif problem:
            self.failed.emit(problem)
        else:
            self.finished.emit(self._summary())

    def _break(self, error: Exception) -> None:
        """End by a mistake in the program."""
        self._close()
        report(error)
        self.failed.emit("")

    def _close(self) -> None:
        self._viewer.layers.events.removed.disconnect(self._layer_removed)
        self._target.layer.events.data.disconnect(self._pixels_replaced)
        self._then_draw.stop()
        self._results.draw()
        self._activity.close()

    def _kept(self) -> str:
        if not self._over_image():
            name = self._target.layer.name
            return f"Cancelled: '{name}' has other axes now. Press Predict again."
        slices = len(self._job.planes)
        if slices == 1:
            return "Cancelled"
        return f"Cancelled. {self._planes} of {slices} slices are done and stay."

    def _summary(self) -> str:
        seconds = time.perf_counter() - self._started
        found = f"{self._objects:,} objects"
        if self._job.config.instances == "none":
            found = "Done"
        elif self._objects == 1:
            found = "1 object"
        elif self._parts > 1:
            what = "slices" if self._parts == len(self._job.planes) else "volumes"
            found += f", counted in each of {self._parts} {what},"
        return f"{found} in {seconds:.1f} s on {self._device}"
