"""What Windows refuses, refused on Linux: for tests of what becomes of it.

Windows neither removes nor renames a file that any program has open or mapped, nor
a folder with such a file in it. Who has what open is read from ``/proc``.
"""

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def in_use(path):
    """Tell whether a process has a file open or mapped, or one in a folder."""
    path = os.path.realpath(path)
    return any(f == path or f.startswith(path + os.sep) for f in _used())


def like_windows(monkeypatch):
    """Refuse to remove and to rename what is in use, for as long as it is."""

    def checked(function):
        def call(path, *others, dir_fd=None, **options):
            whole = [path, *(to for to in others if os.path.isfile(to))]
            if dir_fd is not None:
                whole = [Path(os.readlink(f"/proc/self/fd/{dir_fd}"), path)]
                options["dir_fd"] = dir_fd
            if any(map(in_use, whole)):
                raise PermissionError(errno.EACCES, "Access is denied", str(path))
            return function(path, *others, **options)

        return call

    for name in ("replace", "unlink"):
        monkeypatch.setattr(os, name, checked(getattr(os, name)))


def deny_access(monkeypatch, folder):
    """Let nothing be made in a folder; return what was tried, as it is tried."""
    tried = []

    def denied(function):
        def call(path, *args, **options):
            if Path(path).parent != folder:
                return function(path, *args, **options)
            tried.append(path)
            raise PermissionError(errno.EACCES, "Access is denied", str(path))

        return call

    for name in ("open", "mkdir"):
        monkeypatch.setattr(os, name, denied(getattr(os, name)))
    monkeypatch.setattr(tempfile, "_os", _Nt())
    monkeypatch.setattr(tempfile, "TMP_MAX", 100)
    return tried


class _Nt:
    """The module `os`, which calls itself that of Windows."""

    name = "nt"

    def __getattr__(self, name):
        return getattr(os, name)


def _used():
    """Yield the paths of the files that processes have open or mapped."""
    for process in Path("/proc").glob("[0-9]*"):
        # Others may end, close files or belong to other users.
        with suppress(OSError):
            for line in (process / "maps").read_text().splitlines():
                # address, permissions, offset, device, inode, path
                yield from line.split(maxsplit=5)[5:]
        with suppress(OSError):
            for file in (process / "fd").iterdir():
                with suppress(OSError):
                    yield os.readlink(file)
