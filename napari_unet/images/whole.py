"""Files that are there completely or not at all."""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_unet.errors import ImageError

# Seconds from one try to the next.
WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a file to write, as `replacing` does, and say what is against it.

    Raises
    ------
    ImageError
        If it cannot be written there.
    """
    with _writing_errors(path), replacing(path) as unfinished:
        # Said before others are replaced that are written together with it.
        _check_no_folder(path)
        yield unfinished


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write beside `path`, which takes its place in the end.

    After an error an older file of that name is still there, and nothing else.

    Parameters
    ----------
    path : Path
        Where the file is to be.

    Yields
    ------
    Path
        Where to write it.

    Raises
    ------
    OSError
        If it cannot be written there.
    """
    unfinished = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.unfinished"
    try:
        yield unfinished
        rename(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def rename(path: Path, to: Path) -> None:
    """Rename a file, also onto an older one, or a folder.

    Windows refuses it while any program has the file, or one in the folder, open. Virus
    scanners and the search have what was just written, for a moment: it is tried again.

    Raises
    ------
    OSError
        If it stays refused.
    """
    for wait in WAITS:
        try:
            os.replace(path, to)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    os.replace(path, to)


@contextmanager
def restored(path: Path) -> Iterator[None]:
    """Leave a file as it was, or away if it was not there, where what is done fails.

    Raises
    ------
    ImageError
        If there is no room to keep it meanwhile.
    """
    aside = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.kept"
    with _writing_errors(path):
        there, old = path.exists(), path.is_file()
        if old:
            link_or_copy(path, aside)
    try:
        yield
    except BaseException:
        if old:
            rename(aside, path)
        elif not there:
            path.unlink(missing_ok=True)
        # Still there where both were one file.
        aside.unlink(missing_ok=True)
        raise
    aside.unlink(missing_ok=True)


def sync(file: Path) -> None:
    """Make what was written into a file last through a power cut.

    Raises
    ------
    OSError
        If the disk fails.
    """
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def link_or_copy(path: Path, to: Path) -> None:
    """Give a file a second name, so that it outlives being replaced."""
    try:
        os.link(path, to)
    except OSError:
        try:
            shutil.copy2(path, to)
        except OSError:
            to.unlink(missing_ok=True)
            raise


def check_writable(path: Path) -> None:
    """Raise what `written_whole` would, before long work is done for a file."""
    with _writing_errors(path):
        _check_no_folder(path)
        try_writing(path.parent)


def try_writing(folder: Path) -> None:
    """Raise an OSError where no file can be made in a folder.

    On Windows `tempfile` would try one name after the other, for hours, where access
    is denied (CPython's issue 66305).
    """
    probe = folder / f".{uuid.uuid4().hex[:8]}.unfinished"
    probe.touch()
    probe.unlink()


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError("there is a folder of this name")


@contextmanager
def _writing_errors(path: Path) -> Iterator[None]:
    """Turn what the system says against a file into an `ImageError` that names it."""
    try:
        yield
    except OSError as error:
        raise ImageError(
            f"'{path}' cannot be written: {error.strerror or error}. Check that the "
            "folder exists, that you may write there, that no other program has the "
            "file open and that the disk is not full."
        ) from error
