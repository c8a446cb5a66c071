"""Which job goes on next: one event at a time, in one thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_unet.engine.messages import Done, Event, Failed, Request
from napari_unet.errors import UnetError, is_gpu_failure, is_out_of_memory

if TYPE_CHECKING:
    from napari_unet.engine.state import State

log = logging.getLogger(__name__)

# From a kind of request to the function that serves it. It yields the events of the
# answer, each after a short piece of work: a tile, a training step.
Job = Callable[[Any, "State"], Generator[object, None, None]]
Jobs = Mapping[type[Request], Job]

# What a job yields to be left alone until another one has done something.
WAIT = object()

# Seconds that a job goes on until another one has its turn. Events that come at once,
# as at the beginning and the end of a prediction, else cost a training step each.
TURN = 0.05

_END = object()


@dataclass
class _Running:
    id: int
    urgent: bool
    events: Generator[object, None, None]
    # Seconds of its turn.
    spent: float = 0.0


class Scheduler:
    """The jobs under way.

    Urgent ones, which somebody waits for, go first. The others take turns, of an event
    or as many as come within `TURN`; one that yields `WAIT` stands aside until another
    has moved. A strict order of training before whole images would leave a prediction
    that is asked for during training, which has no end, waiting for ever.

    Parameters
    ----------
    jobs : mapping of type to function
        What each kind of request does.
    state : State
        Handed to each job: what outlives it, such as loaded models.
    send : function of one message
        Where answers go. What it raises is taken for a failure of the job.

    Attributes
    ----------
    gpu_failed : bool
        Whether no job of this process can use the GPU any more.
    """

    def __init__(
        self, jobs: Jobs, state: State, send: Callable[[Event | Done | Failed], None]
    ) -> None:
        self._jobs = jobs
        self._state = state
        self._send = send
        self.gpu_failed = False
        self._running: list[_Running] = []
        self._waiting: list[_Running] = []

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do before the next message."""
        return not self._running

    def add(self, request: Request) -> None:
        """Begin a job; its first piece of work is done in a later `step`."""
        try:
            events = self._jobs[type(request)](request, self._state)
        except Exception as error:
            self._fail(request.id, error)
        else:
            self._running.append(_Running(request.id, request.urgent, events))

    def cancel(self, id: int) -> None:
        """Give a job up: its ``finally`` runs, and `Cancelled` is its last event."""
        from napari_unet.inference.events import Cancelled

        jobs = [*self._running, *self._waiting]
        self._running = [job for job in self._running if job.id != id]
        self._waiting = [job for job in self._waiting if job.id != id]
        for job in [job for job in jobs if job.id == id]:
            try:
                job.events.close()
                self._send(Event(id, Cancelled()))
                self._send(Done(id))
            except Exception as error:
                self._fail(id, error)

    def close(self) -> None:
        """Give up all jobs: their ``finally`` runs, and nobody is told."""
        for job in (*self._running, *self._waiting):
            try:
                job.events.close()
            except Exception:
                log.exception("A job could not end as it should.")

    def step(self) -> None:
        """Advance one job by one event."""
        job = next((job for job in self._running if job.urgent), self._running[0])
        self._running.remove(job)
        begin = time.monotonic()
        try:
            event = next(job.events, _END)
            if event is WAIT:
                self._waiting.append(job)
                return
            if event is _END:
                self._send(Done(job.id))
            else:
                self._send(Event(job.id, event))
                job.spent += time.monotonic() - begin
                if job.spent < TURN:
                    self._running.insert(0, job)
                else:
                    job.spent = 0.0
                    self._running.append(job)
        except Exception as error:
            with suppress(Exception):
                job.events.close()
            self._fail(job.id, error)
        # It may have been what they wait for.
        self._running += self._waiting
        self._waiting.clear()

    def _fail(self, id: int, error: Exception) -> None:
        if isinstance(error, UnetError):
            self._send(Failed(id, type(error).__name__, str(error)))
            return
        log.error("A request failed.", exc_info=error)
        kind, text = (
            "EngineError",
            f"Something went wrong that should not have ({type(error).__name__}: "
            f"{error}). Please report it together with the file "
            f"'{self._state.log}'. You can go on working.",
        )
        if is_out_of_memory(error):
            kind, text = (
                "DeviceError",
                "There is too little free memory for this. Close other programs, or "
                "choose a smaller image or another device.",
            )
        elif is_gpu_failure(error):
            self.gpu_failed = True
            reason = str(error).partition("\n")[0]
            kind, text = (
                "DeviceError",
                f"The graphics card failed ({reason}). Try again: the engine starts "
                "anew. If it fails again, choose the CPU as device.",
            )
        self._send(Failed(id, kind, text))
