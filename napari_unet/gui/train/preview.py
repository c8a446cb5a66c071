"""The prediction of what is on screen, brought up to date while training goes on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet.engine.messages import Preview
from napari_unet.errors import UnetError
from napari_unet.gui.train.same_ids import keep_ids

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from napari_unet.engine.arrays import SharedArray
    from napari_unet.engine.client import Engine
    from napari_unet.gui.image.target import Target
    from napari_unet.gui.train.feed import Feed
    from napari_unet.gui.train.subject import Subject
    from napari_unet.images import Region
    from napari_unet.inference import PredictConfig

# Seconds between two previews, at least.
_PAUSE = 0.5
# Milliseconds for a moved view to be drawn before it is predicted.
_SETTLE = 80
# How many times as long as a preview takes to wait for the next of the same view: while
# the user is at work, and while training is left alone.
_HURRY, _LEISURE = 3, 20
# Seconds after the last stroke or move that the user is taken to be at work.
_AT_WORK = 5.0


@dataclass(frozen=True)
class View:
    """What to preview: a region of an image.

    Attributes
    ----------
    target : Target
        The image and its layer.
    subject : Subject
        What the engine must know of it first.
    region : Region
    config : PredictConfig
        How objects are found.
    checkpoint : str or None
        The folder of one; None for the current weights of the training.
    small : bool
        Whether it is for a thumbnail.
    objects : ndarray or None
        ``(Y, X)`` of the whole plane: objects that are there already.
    """

    target: Target
    subject: Subject
    region: Region
    config: PredictConfig
    checkpoint: str | None = None
    small: bool = False
    objects: NDArray[np.unsignedinteger] | None = None

    def covers(self, other: View) -> bool:
        """Whether another view with the same weights shows nothing more."""
        return (
            self.checkpoint == other.checkpoint
            and self.subject.key == other.subject.key
            and self.subject.channels == other.subject.channels
            and self.region.intersect(other.region) == other.region
        )


@dataclass(frozen=True)
class Seen:
    """A view that has been predicted.

    Attributes
    ----------
    view : View
    step : int
        Steps of training behind it.
    semantic : ndarray
        ``(Y, X)`` of the region, uint8.
    instances : ndarray
        ``(Y, X)``, uint32.
    """

    view: View
    step: int
    semantic: NDArray[np.uint8]
    instances: NDArray[np.uint32]


class Previews(QObject):
    """Asks the engine for views: one at a time, and not too often.

    Parameters
    ----------
    engine : Engine
        Predicts.
    feed : Feed
        Through which it knows the images.

    Attributes
    ----------
    due : Signal
        It is time to say with `show` what is on screen.
    seen : Signal
        A `Seen`.
    failed : Signal
        Why a preview failed, for the user.
    """

    due = Signal()
    seen = Signal(object)
    failed = Signal(str)
    _ended = Signal(object)

    def __init__(self, engine: Engine, feed: Feed) -> None:
        super().__init__()
        self._engine = engine
        self._feed = feed
        self._thread = ThreadPoolExecutor(1, "napari-unet preview")
        self._arrays: list[SharedArray] = []
        self._queue: list[View] = []
        self._busy = False
        self._wanted = self._moved = False
        self._last = self._cost = 0.0
        self._at_work = -_AT_WORK
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._fire)
        self._ended.connect(self._end)

    def ask(self, *, moved: bool = False) -> None:
        """Say that the weights have changed or, what is not to wait long, the view."""
        self._wanted = True
        self._moved |= moved
        self._plan()

    def hurry(self) -> None:
        """Say that the user is at work; otherwise training goes first."""
        self._at_work = time.monotonic()

    def show(self, view: View) -> None:
        """Predict a view after those that wait already.

        Of those of a checkpoint, but for small ones, only the last one counts.
        """
        if view.checkpoint is not None and not view.small:
            self._queue = [v for v in self._queue if v.small or v.checkpoint is None]
        self._queue.append(view)
        self._next()

    def stop(self) -> None:
        """Ask for nothing more until `ask`."""
        self._wanted = self._moved = False
        self._queue.clear()
        self._timer.stop()

    def close(self) -> None:
        """Let the thread go, and the arrays with it."""
        self.stop()
        # Where Python ends before the window the thread has ended; the arrays then go
        # with the engine.
        with suppress(RuntimeError):
            self._thread.submit(self._remove_arrays)
        self._thread.shutdown(wait=False)

    def _plan(self) -> None:
        if not self._wanted or self._busy:
            return
        now = time.monotonic()
        times = _HURRY if now - self._at_work < _AT_WORK else _LEISURE
        rest = 0 if self._moved else times * self._cost
        due = self._last + max(_PAUSE, rest)
        wait = max(_SETTLE, int(1000 * (due - now)))
        if not self._timer.isActive() or wait < self._timer.remainingTime():
            self._timer.start(wait)

    def _fire(self) -> None:
        self._wanted = self._moved = False
        self.due.emit()

    def _next(self) -> None:
        # The session may end before the panel, with a preview due.
        if self._busy or not self._queue or self._feed.closed:
            return
        self._busy = True
        self._last = time.monotonic()
        view = self._queue.pop(0)
        known = self._feed.send(view.subject)
        self._thread.submit(self._run, view, known)

    def _run(self, view: View, known: Future[None]) -> None:
        """In the thread: predict and hand over, whatever comes of it."""
        try:
            known.result()
            result: Any = self._predict(view)
        except Exception as error:
            result = error
        self._ended.emit(result)

    def _predict(self, view: View) -> Seen:
        shape = view.region.shape
        if not self._arrays or self._arrays[0].shape != shape:
            self._remove_arrays()
            self._arrays = [
                self._engine.array(shape, dtype) for dtype in (np.uint8, np.uint32)
            ]
        semantic, instances = self._arrays
        told = self._engine.ask(
            Preview(
                key=view.subject.key,
                region=view.region,
                semantic=semantic,
                instances=instances,
                checkpoint=view.checkpoint,
                config=view.config,
            )
        )
        found = instances.open("r").copy()
        if view.objects is not None:
            before = view.objects[view.region.slices]
            found = keep_ids(found, before, int(view.objects.max()))
        return Seen(view, told.step, semantic.open("r").copy(), found)

    def _remove_arrays(self) -> None:
        for array in self._arrays:
            array.remove()
        self._arrays = []

    def _end(self, result: Any) -> None:
        self._busy = False
        now = time.monotonic()
        self._last, self._cost = now, now - self._last
        if isinstance(result, Seen):
            self.seen.emit(result)
        elif isinstance(result, UnetError):
            self._queue.clear()
            self.failed.emit(str(result))
        else:
            raise result
        self._next()
        self._plan()
