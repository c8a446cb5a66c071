"""Waiting for a window, however slow it is."""

import time
from functools import partialmethod

import numpy as np
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QGuiApplication
from qtpy.QtTest import QTest

# Milliseconds. What is waited for comes much sooner; that it never comes is a failure.
PATIENCE = 60_000


class PatientBot(QtBot):
    """Gives everything that is waited for the time that a slow machine takes."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=PATIENCE)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=PATIENCE)
    waitExposed = partialmethod(QtBot.waitExposed, timeout=PATIENCE)


def settled(reading):
    """Wait until a reading of the window's layout or canvas stays; return it.

    Parameters
    ----------
    reading : callable
        Returns what can be compared as an array.
    """
    end = time.monotonic() + PATIENCE / 1000
    last = reading()
    while time.monotonic() < end:
        # What the display has to say of a new size may be on its way.
        QGuiApplication.sync()
        QTest.qWait(20)
        before, last = last, reading()
        if np.array_equal(before, last):
            return last
    raise AssertionError(f"It does not come to rest: {last}")
