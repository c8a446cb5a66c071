"""Workers that wait for the engine or the disk, beside the threads that Qt needs."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QThreadPool


def start(worker: Any) -> None:
    """Start a worker of superqt's in a thread of its own.

    It runs in Qt's pool, which has as many threads as there are cores. Qt 5 cuts
    images into parts for the same pool when it converts them, and waits for them on the
    main thread holding Python's lock. A pool full of workers would stop the window for
    as long as they wait, and for ever if one of them needs that lock. So each worker
    brings a thread with it, before it starts.
    """
    pool = QThreadPool.globalInstance()
    pool.releaseThread()
    worker.finished.connect(pool.reserveThread)
    worker.start()


def activity(description: str) -> Any:
    """Add an entry of unknown length to napari's activity dock, on the main thread.

    Its spinner in the status bar has the whole window drawn 30 times a second, on a
    processor without graphics a third of a core that training could use. napari stops
    it when any entry is closed while the dock is hidden.

    Returns
    -------
    napari.utils.progress
        The entry, to move and to close.
    """
    from napari.utils import progress

    entry = progress(total=0, desc=description)
    progress(total=0).close()
    return entry
