"""Where the engine's output is kept."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 20


def new_log(folder: Path | None, otherwise: Path) -> Path:
    """Make an empty log file and remove the oldest ones.

    Parameters
    ----------
    folder : Path or None
        Where; None is the folder for logs of the user's system.
    otherwise : Path
        Where, if that cannot be written.
    """
    import platformdirs

    folder = folder or platformdirs.user_log_path("napari-unet", appauthor=False)
    name = f"engine-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("engine-*.log"))[: 1 - KEPT]:
            # Windows keeps the log of an engine that runs.
            with suppress(OSError):
                old.unlink()
        (folder / name).touch()
    except OSError:
        folder = otherwise
        (folder / name).touch()
    return folder / name


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty, or nothing."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
