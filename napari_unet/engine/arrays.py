"""Arrays that the viewer and the engine both see: memory-mapped ``.npy`` files."""

from __future__ import annotations

import math
import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.lib.format import open_memmap

from napari_unet.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


# Bytes that the address of a Unix socket may have on macOS (104), less its name.
LONGEST_FOLDER = 85

# Files that could not be removed yet: Windows keeps those that somebody has mapped.
_mapped: set[str] = set()


def private_folder() -> Path:
    """Make a folder for a session that only this user can enter."""
    prefix = f"napari-unet-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if sys.platform == "win32":
        clear_left_over(folder.parent)
    elif len(os.fsencode(folder)) > LONGEST_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    return folder


def clear_left_over(folder: Path) -> None:
    """Remove the private folders of viewers that died from the one that holds them.

    On Windows an engine that outlives its viewer cannot: it has the arrays mapped.
    """
    import psutil

    for left in folder.glob("napari-unet-*-*"):
        viewer = left.name.split("-")[2]
        if viewer.isdecimal() and not psutil.pid_exists(int(viewer)):
            shutil.rmtree(left, ignore_errors=True)


@dataclass(frozen=True)
class SharedArray:
    """Where an array is: small enough to be part of a message.

    Both processes map the same file, so what one writes the other sees at once and
    nothing is copied. Of several processes that write the same element at the same
    time one wins; who may write where is agreed by the messages.

    Attributes
    ----------
    path : str
        A file in the session's private folder.
    shape : tuple of int
    dtype : str
        numpy's name of the type with its byte order, e.g. ``"<f4"``.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def create(
        cls, folder: Path, shape: tuple[int, ...], dtype: DTypeLike
    ) -> SharedArray:
        """Make an array of zeros.

        Raises
        ------
        EngineError
            If the disk cannot hold it. The space is taken now: a mapped file
            without its blocks would kill whoever writes to it on a full disk.
        """
        made = cls.sparse(folder, shape, dtype)
        try:
            made.reserve(())
        except EngineError:
            made.remove()
            raise
        return made

    @classmethod
    def sparse(
        cls, folder: Path, shape: tuple[int, ...], dtype: DTypeLike
    ) -> SharedArray:
        """Make an array of zeros, of which nobody may write but what is `reserve`d.

        Raises
        ------
        EngineError
            If the file system cannot hold a file of this size.
        """
        for left in tuple(_mapped):
            _remove(left)
        path = folder / f"{secrets.token_hex(8)}.npy"
        made = cls(str(path), shape, np.dtype(dtype).str)
        try:
            open_memmap(path, "w+", dtype=made.dtype, shape=shape)
        except OSError as error:
            made.remove()
            raise made._no_room(made._bytes_of(()), error) from error
        return made

    @classmethod
    def of(cls, folder: Path, array: ArrayLike) -> SharedArray:
        """Make a copy of `array`.

        Raises
        ------
        EngineError
            If the disk cannot hold it.
        """
        array = np.asarray(array)
        made = cls.create(folder, array.shape, array.dtype)
        made.open()[...] = array
        return made

    def open(self, mode: Literal["r", "r+"] = "r+") -> NDArray[Any]:
        """Map the array.

        Parameters
        ----------
        mode : {"r", "r+"}
            For reading only, or for writing too.

        Returns
        -------
        ndarray
            Of `shape` and `dtype`. It stays valid for as long as it is kept, even
            when the file has been removed (but see `remove`).
        """
        mapped = open_memmap(self.path, mode)
        if mapped.shape != self.shape or mapped.dtype.str != self.dtype:
            raise ValueError(f"'{self.path}' holds another array than {self}")
        return np.asarray(mapped)

    def remove(self) -> None:
        """Remove the file; a missing one is fine.

        Windows keeps a file that is still mapped; it goes when the next array is made,
        or with the session's folder.
        """
        _remove(self.path)

    def reserve(self, at: tuple[int, ...]) -> None:
        """Take the space of a part of a sparse array, still all zeros.

        Parameters
        ----------
        at : tuple of int
            The part's place on the first axes.

        Raises
        ------
        EngineError
            If the disk cannot hold it.
        """
        n_bytes = self._bytes_of(at)
        count = int(np.ravel_multi_index(at, self.shape[: len(at)])) if at else 0
        header = os.path.getsize(self.path) - self._bytes_of(())
        try:
            _reserve(self.path, header + count * n_bytes, n_bytes)
        except OSError as error:
            raise self._no_room(n_bytes, error) from error

    def _bytes_of(self, at: tuple[int, ...]) -> int:
        return math.prod(self.shape[len(at) :]) * np.dtype(self.dtype).itemsize

    def _no_room(self, n_bytes: int, error: OSError) -> EngineError:
        return EngineError(
            f"There is no room for {n_bytes / 1e6:.0f} MB of pixels in "
            f"'{Path(self.path).parent}' ({error.strerror}). Free some disk space "
            "there, or work on a smaller part of the image."
        )


def _remove(path: str) -> None:
    _mapped.discard(path)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except PermissionError:
        _mapped.add(path)


def _reserve(path: str, begin: int, n_bytes: int) -> None:
    """Give bytes of a file, all zeros, their place on disk."""
    with open(path, "r+b") as file:
        reserve = getattr(os, "posix_fallocate", None)
        if reserve is not None:
            if n_bytes:
                reserve(file.fileno(), begin, n_bytes)
            return
        file.seek(begin)
        block = bytes(1 << 20)
        while n_bytes > 0:
            n_bytes -= file.write(block[:n_bytes])
