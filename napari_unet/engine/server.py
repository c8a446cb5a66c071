"""The engine process: take requests, run jobs, send their events.

The main thread computes. A second one reads the connection, so that orders are
known between two pieces of work. When the viewer goes without a word, as when it is
killed, a training keeps its weights after the step under way. The engine ends soon in
any case, also in the middle of a long piece of work (`os._exit`).
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import queue
import shutil
import sys
import threading
import time
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any, NoReturn

import napari_unet
from napari_unet.engine.jobs import JOBS
from napari_unet.engine.messages import Cancel, Hello, Quit
from napari_unet.engine.scheduler import Jobs, Scheduler
from napari_unet.engine.state import State

log = logging.getLogger(__name__)

# In place of a message: the viewer has gone.
_GONE = object()
# Seconds for the work under way to end then.
_FAREWELL = 10.0


def main(jobs: Jobs = JOBS) -> NoReturn:
    """Serve one viewer until it goes.

    The first line of standard input says where it waits, as JSON: ``address`` and
    ``authkey`` of the connection, the session's ``folder``, the ``log`` file that
    standard output goes to, and the ``viewer``, its process id.
    """
    faulthandler.enable()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    setup = json.loads(sys.stdin.readline())
    folder = Path(setup["folder"])
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(
        target=_watch, args=(setup["viewer"], inbox, folder), name="viewer", daemon=True
    ).start()
    _yield_to_the_viewer()
    try:
        with Listener(
            setup["address"], authkey=bytes.fromhex(setup["authkey"])
        ) as door:
            connection = door.accept()
        connection.send(Hello(napari_unet.__version__))
    except (EOFError, ConnectionError):
        _leave(folder)
    threading.Thread(
        target=_read, args=(connection, inbox, folder), name="reader", daemon=True
    ).start()
    import torch

    log.info("torch %s, %d threads", torch.__version__, torch.get_num_threads())
    scheduler = Scheduler(jobs, State(log=setup["log"]), connection.send)
    try:
        serve(scheduler, inbox)
    except OSError:
        # Answers reach nobody any more.
        pass
    scheduler.close()
    _leave(folder)


def serve(scheduler: Scheduler, inbox: queue.SimpleQueue[Any]) -> None:
    """Do what comes into the inbox until the viewer has gone.

    Raises
    ------
    OSError
        If an answer cannot be sent.
    """
    while True:
        while scheduler.idle or not inbox.empty():
            message = inbox.get()
            if message is _GONE:
                return
            if isinstance(message, Cancel):
                scheduler.cancel(message.id)
            else:
                scheduler.add(message)
        scheduler.step()
        if scheduler.gpu_failed:
            # No more can be computed on it in this process, but in the next one.
            os._exit(1)


def _read(
    connection: Connection[Any, Any], inbox: queue.SimpleQueue[Any], folder: Path
) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            _end_soon(inbox, folder)
        except Exception:
            log.exception("A message cannot be read.")
            os._exit(1)
        if isinstance(message, Quit):
            os._exit(0)
        inbox.put(message)


def _watch(viewer: int, inbox: queue.SimpleQueue[Any], folder: Path) -> None:
    """End with the viewer even where a process it forked keeps the connection open."""
    import psutil

    try:
        psutil.Process(viewer).wait()
    except psutil.NoSuchProcess:
        pass
    _end_soon(inbox, folder)


def _end_soon(inbox: queue.SimpleQueue[Any], folder: Path) -> NoReturn:
    """Let the main thread end, which may be busy or hang."""
    inbox.put(_GONE)
    time.sleep(_FAREWELL)
    _leave(folder)


def _leave(folder: Path) -> NoReturn:
    """End now; the viewer has gone without removing the session's folder."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _yield_to_the_viewer() -> None:
    """Let the viewer run first when both want a core, and be ended first if need be."""
    import psutil

    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    os.nice(5)
    if sys.platform == "linux":
        # Out of memory: the system shall take the engine, not the user's window.
        try:
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        except OSError:
            log.info("The system does not let the order for lack of memory be set.")
