"""The viewer's side of the engine: start it, ask it, hear from it."""

from __future__ import annotations

import shutil
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from napari_unet import errors
from napari_unet.engine.arrays import SharedArray, private_folder
from napari_unet.engine.link import Link
from napari_unet.engine.messages import Cancel, Done, Event, Failed, Request
from napari_unet.errors import EngineError, UnetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, DTypeLike

COMMAND = (sys.executable, "-P", "-u", "-m", "napari_unet.engine")


class Engine:
    """The second process of one viewer.

    It is started by the first request and kept; after it has died, by the next one.
    All methods may be called from any thread. Only `cancel` returns at once: the others
    may wait for the process to start, so they belong in a worker.

    Parameters
    ----------
    logs : Path, optional
        Where the engine's output goes, a file for each start; by default the folder for
        logs of the user's system.
    command : sequence of str
        What to run.

    Examples
    --------
    >>> with Engine() as engine:
    ...     print(engine.ask(Describe()).device)
    """

    def __init__(
        self, logs: Path | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        self._logs = logs
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._link: Link | None = None
        self._closed = threading.Event()
        self._cancelled: set[int] = set()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The id of the process while it runs."""
        link = self._link
        return link.pid if link is not None and link.alive else None

    def start(self) -> None:
        """Start the process now, if it does not run, without waiting for torch.

        Raises
        ------
        EngineError
            If it cannot be started.
        """
        self._connected()

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> SharedArray:
        """Make an array of zeros that both processes see; `remove` it after use.

        Raises
        ------
        EngineError
            If the disk cannot hold it.
        """
        return SharedArray.create(self._session(), shape, dtype)

    def sparse_array(self, shape: tuple[int, ...], dtype: DTypeLike) -> SharedArray:
        """Make an array to `reserve` and write part by part; `remove` it after use.

        Raises
        ------
        EngineError
            If the file system cannot hold a file of this size.
        """
        return SharedArray.sparse(self._session(), shape, dtype)

    def share(self, array: ArrayLike) -> SharedArray:
        """Make a copy of `array` that both processes see; `remove` it after use.

        Raises
        ------
        EngineError
            If the disk cannot hold it.
        """
        return SharedArray.of(self._session(), array)

    def request(self, request: Request) -> Iterator[Any]:
        """Send a request when first iterated, and yield the events of its answer.

        It ends when the job has. Dropping or closing the iterator earlier cancels it.

        Raises
        ------
        UnetError
            Of the class that was raised in the job, with the same text.
        EngineError
            If the process cannot be started or has died, or if the job failed by a
            mistake in the program.
        """
        ended = False
        link = None
        try:
            link = self._connected()
            answers = link.send(request)
            if request.id in self._cancelled:
                self.cancel(request.id)
            while True:
                answer = answers.get()
                if isinstance(answer, Event):
                    yield answer.event
                    continue
                ended = True
                if isinstance(answer, Done):
                    return
                raise _error(answer)
        finally:
            if link is not None:
                if not ended:
                    self.cancel(request.id)
                link.forget(request.id)
            self._cancelled.discard(request.id)

    def ask(self, request: Request) -> Any:
        """Run a request to its end and return its last event, None without any.

        Raises
        ------
        UnetError
            See `request`.
        """
        event = None
        for event in self.request(request):  # noqa: B007
            pass
        return event

    def cancel(self, id: int) -> None:
        """Give up the request `id`, sent or about to be: it ends with `Cancelled`."""
        self._cancelled.add(id)
        link = self._link
        if link is not None:
            link.order(Cancel(id))

    def close(self) -> None:
        """End the process and remove the shared arrays; requests raise EngineError."""
        # Before the lock: whoever waits there for a process to start gives up.
        self._closed.set()
        with self._lock:
            if self._link is not None:
                self._link.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _connected(self) -> Link:
        folder = self._session()
        with self._lock:
            self._check_open()
            if self._link is None or not self._link.alive:
                self._link = Link(self._command, folder, self._logs, self._closed)
                weakref.finalize(self, self._link.close)
            return self._link

    def _session(self) -> Path:
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._folder = private_folder()
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise EngineError("The engine is closed. Open the U-Net panel again.")


def _error(failed: Failed) -> UnetError:
    kind = getattr(errors, failed.error, EngineError)
    return kind(failed.text)
