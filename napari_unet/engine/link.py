"""One engine process and the connection to it, seen from the viewer."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Client
from typing import TYPE_CHECKING, Any

import napari_unet
from napari_unet.engine.logs import last_line, new_log
from napari_unet.engine.messages import Cancel, Done, Event, Failed, Hello, Quit
from napari_unet.engine.process import new_address, start
from napari_unet.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from napari_unet.engine.messages import Request

    Answers = queue.SimpleQueue[Event | Done | Failed]

# Seconds. Starting takes a fraction of one on an idle machine with a warm disk.
START = 120.0
QUIT = 5.0


class Link:
    """Start an engine process and hand its answers to whoever asked.

    Parameters
    ----------
    command : sequence of str
        What to run; see `server.main` for what it reads from standard input.
    folder : Path
        The session's private folder.
    logs : Path or None
        See `logs.new_log`.
    given_up : threading.Event
        Set when nobody wants it any longer, also while it starts.

    Raises
    ------
    EngineError
        If the process does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        logs: Path | None,
        given_up: threading.Event,
    ) -> None:
        self._log = new_log(logs, folder)
        self._lock = threading.Lock()
        self._pending: dict[int, Answers] = {}
        self._ended = ""
        address, authkey = new_address(folder), secrets.token_bytes(32)
        setup = {
            "address": address,
            "authkey": authkey.hex(),
            "folder": str(folder),
            "log": str(self._log),
            "viewer": os.getpid(),
        }
        self._process = start(command, self._log, setup)
        try:
            self._connection = self._connect(address, authkey, given_up)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        threading.Thread(target=self._read, name="engine", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs and takes requests."""
        return not self._ended and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, request: Request) -> Answers:
        """Send a request; its answers come into the queue that is returned."""
        answers: Answers = queue.SimpleQueue()
        with self._lock:
            if self._ended:
                raise EngineError(self._ended)
            self._pending[request.id] = answers
            # A broken pipe needs no words: the reader sees the end and says why.
            with contextlib.suppress(OSError):
                self._connection.send(request)
        return answers

    def order(self, order: Cancel | Quit) -> None:
        """Send what has no answer, if the process is there to take it."""
        with self._lock, contextlib.suppress(OSError):
            if not self._ended:
                self._connection.send(order)

    def forget(self, id: int) -> None:
        """Drop what still comes for the request `id`."""
        with self._lock:
            self._pending.pop(id, None)

    def close(self) -> None:
        """End the process and wait until it has gone."""
        self.order(Quit())
        try:
            self._process.wait(QUIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connect(
        self, address: str, authkey: bytes, given_up: threading.Event
    ) -> Connection[Any, Any]:
        end = time.monotonic() + START
        while self._process.poll() is None and time.monotonic() < end:
            if given_up.is_set():
                raise EngineError("The engine was closed before it had started.")
            try:
                connection = Client(address, authkey=authkey)
                hello = connection.recv()
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.01)
                continue
            except (EOFError, OSError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(QUIT)
                break
            if hello != Hello(napari_unet.__version__):
                raise EngineError(
                    "napari-unet was updated while napari was open. Restart napari."
                )
            return connection
        raise EngineError(f"The engine did not start: {self._fate()}")

    def _read(self) -> None:
        """Deal the answers out until the process ends."""
        try:
            while True:
                answer = self._connection.recv()
                with self._lock:
                    answers = self._pending.get(answer.id)
                if answers is not None:
                    answers.put(answer)
        except (EOFError, OSError):
            pass
        finally:
            # Also after an answer that cannot be read, which then is not waited for.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(QUIT)
            self._process.kill()
            self._process.wait()
            ended = (
                f"The engine that computes predictions has ended: {self._fate()} What "
                "you painted is safe. Try again: it starts anew."
            )
            with self._lock:
                self._ended = ended
                for asked, answers in self._pending.items():
                    answers.put(Failed(asked, "EngineError", ended))
                self._connection.close()

    def _fate(self) -> str:
        """Say how the process ended, in a sentence or two."""
        code = self._process.poll()
        where = f"More is in '{self._log}'."
        if code is None:
            return f"it does not answer. {where}"
        if sys.platform != "win32" and code < 0:
            if -code == signal.SIGKILL:
                return (
                    "the system stopped it, most likely because memory ran out. Close "
                    "other programs, or choose smaller tiles or a smaller model."
                )
            return f"it crashed ({signal.Signals(-code).name}). {where}"
        return f'exit code {code}, "{last_line(self._log)}". {where}'
