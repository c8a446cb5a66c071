"""An engine with jobs that do what real ones do only by bad luck."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from napari_unet.engine.messages import Request
from napari_unet.errors import ImageError


@dataclass(frozen=True)
class Count(Request):
    """Yield 0 .. n-1; urgently or not is the class's affair."""

    n: int
    pause: float = 0.0


@dataclass(frozen=True)
class Glance(Request):
    urgent = True


@dataclass(frozen=True)
class Wrong(Request):
    """Fail as a user may mend it, by a bug, as CUDA, or with what cannot be sent."""

    how: str


@dataclass(frozen=True)
class Learn(Request):
    """Count, and keep in a file how far it came when it has to end."""

    file: str


@dataclass(frozen=True)
class Compute(Request):
    """One piece of work in torch that takes minutes; says so first."""


@dataclass(frozen=True)
class Die(Request):
    """End the process by a signal, or with an exit code and last words."""

    signal: int = 0
    words: str = ""


@dataclass(frozen=True)
class Double(Request):
    source: object
    target: object


@dataclass(frozen=True)
class Modules(Request):
    """Yield the names of the modules that the engine has loaded."""


def count(request, state):
    try:
        for i in range(request.n):
            time.sleep(request.pause)
            yield i
    finally:
        state.ended = request.id


def glance(request, state):
    yield getattr(state, "ended", None)


def wrong(request, state):
    yield "begun"
    if request.how == "user":
        raise ImageError("This image has 4 channels; the model takes 1.")
    if request.how == "bug":
        raise KeyError("nucleus")
    if request.how == "cuda":
        raise RuntimeError("CUDA error: an illegal memory access was encountered\n...")
    yield lambda: "cannot be sent"


def learn(request, state):
    learnt = 0
    try:
        while True:
            time.sleep(0.05)
            learnt += 1
            yield learnt
    finally:
        Path(request.file).write_text(str(learnt))


def compute(request, state):
    import torch

    yield os.getpid()
    a = torch.ones(8_000, 8_000)
    for _ in range(100):
        a = a @ a
    yield "done"


def die(request, state):
    yield "begun"
    if request.signal:
        os.kill(os.getpid(), request.signal)
        signal.pause()
    print(request.words)
    os._exit(3)


def double(request, state):
    source, target = request.source.open("r"), request.target.open()
    for row in range(len(source)):
        target[row] = 2 * source[row]
        yield row


def modules(request, state):
    import sys

    yield sorted(sys.modules)


JOBS = {
    Count: count,
    Glance: glance,
    Wrong: wrong,
    Learn: learn,
    Compute: compute,
    Die: die,
    Double: double,
    Modules: modules,
}
