"""Engines for the tests of the window."""

import sys
from pathlib import Path

from napari_unet.engine import Engine

# An engine in which the prediction of a stack has no end.
ENDLESS = (
    sys.executable,
    "-u",
    str(Path(__file__).with_name("gui_endless_engine.py")),
)


class KeptEngine(Engine):
    """An engine that outlives the viewer, so that not each test has to start one."""

    def close(self) -> None:
        pass
