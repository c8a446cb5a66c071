"""A job that memory is too small for."""

from dataclasses import dataclass

import numpy as np

from napari_unet.engine.messages import Failed, Request
from napari_unet.engine.scheduler import Scheduler
from napari_unet.engine.state import State


@dataclass(frozen=True)
class Huge(Request):
    pass


def huge(request, state):
    yield np.zeros((2**24, 2**24), np.uint8)


def test_too_little_memory_is_no_bug_to_report():
    sent = []
    scheduler = Scheduler({Huge: huge}, State(log="engine.log"), sent.append)
    request = Huge()
    scheduler.add(request)
    scheduler.step()
    (failed,) = sent
    assert isinstance(failed, Failed)
    assert failed.error == "DeviceError"
    assert "Close other programs" in failed.text
    assert scheduler.idle
