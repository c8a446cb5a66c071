"""One training in the engine, from its request to its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.engine.messages import StopTraining
from napari_unet.errors import UnetError
from napari_unet.gui.parts.background import activity, start
from napari_unet.gui.parts.notices import report

if TYPE_CHECKING:
    from concurrent.futures import Future

    from napari_unet.engine.client import Engine
    from napari_unet.engine.messages import Train
    from napari_unet.gui.train.feed import Feed


class TrainingRun(QObject):
    """A training that runs in a worker.

    Parameters
    ----------
    engine : Engine
        Where it trains.
    feed : Feed
        Through which the order to stop goes.
    request : Train
        How to train.
    ready : Future
        Done when the engine knows what it must before.

    Attributes
    ----------
    told : Signal
        Each of the `training.events`.
    ended : Signal
        What the user must mend; empty if it ended as it should.
    broken : Signal
        It ended by a mistake in the program, which has been reported.
    """

    told = Signal(object)
    ended = Signal(str)
    broken = Signal()

    def __init__(
        self, engine: Engine, feed: Feed, request: Train, ready: Future[None]
    ) -> None:
        super().__init__()
        self._engine = engine
        self._feed = feed
        self._request = request
        self._ready = ready
        # Reading an image from afar may take long: nobody who stops waits for that.
        self._stopped = False
        self._go_on = threading.Event()
        ready.add_done_callback(lambda _: self._go_on.set())
        self._over = threading.Event()
        self._activity: Any = None

    @property
    def id(self) -> int:
        """What the engine knows it by."""
        return self._request.id

    def start(self) -> None:
        """Begin, in another thread."""
        self._activity = activity("U-Net: training")
        worker = create_worker(self._work, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self._end)
        worker.errored.connect(self._break)
        start(worker)

    def stop(self) -> None:
        """End after the step that is under way, or before the first one."""
        self._stopped = True
        self._go_on.set()
        self._feed.ask(StopTraining(self._request.id))

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but not longer."""
        self._over.wait(seconds)

    def leave(self) -> None:
        """Tell nothing more."""
        self.blockSignals(True)
        self._activity.close()

    def _work(self) -> str:
        """In the worker: pass the events on; return what the user must mend."""
        try:
            self._go_on.wait()
            if self._stopped and not self._ready.done():
                return ""
            self._ready.result()
            for event in self._engine.request(self._request):
                self.told.emit(event)
        except UnetError as error:
            return str(error)
        finally:
            self._over.set()
        return ""

    def _end(self, problem: str) -> None:
        self._activity.close()
        self.ended.emit(problem)

    def _break(self, error: Exception) -> None:
        """End by a mistake in the program."""
        self._activity.close()
        report(error)
        self.broken.emit()
