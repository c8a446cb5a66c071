"""A folder for one training at a time."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from napari_unet.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".in-use"


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made, against other trainings for as long as this lasts.

    The system lets go of it when the process dies. One that stays empty is removed. A
    full disk is no reason not to train: where nothing can be written nothing is held.

    Raises
    ------
    TrainingError
        If another training holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    except OSError:
        yield
        return
    with file:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            raise TrainingError(
                f"Another training keeps its checkpoints in '{folder}'. Wait for its "
                "end, or choose another folder."
            ) from None
        except OSError:
            pass  # some network drives know no locks
        try:
            yield
        finally:
            # Removed while it is held, so that nobody else has it meanwhile. Windows
            # removes no file that is open, be it by another training.
            if sys.platform == "win32":
                file.close()
            with suppress(OSError):
                (folder / LOCK).unlink()
                folder.rmdir()


def _lock(file: Any) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
