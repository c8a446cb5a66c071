"""Keep the CPU memory of one tile or training step for the next one."""

from __future__ import annotations

import ctypes
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# From malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
MEGABYTE = 1 << 20
# Between two uses. A tile on a CPU takes less, so for images of one size all is kept.
MOST_KEPT = 1024 * MEGABYTE

_users = 0
_floor = 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory in the process for as long as this lasts, on Linux.

    The GNU C library gives each large block back to the system when it is freed, and
    the system clears the pages of each new one: measured 0.4 ms a megabyte, as much as
    the convolution that fills it. At the end all that is free is given back; at the end
    of a use within another one, such as for one of many images, where it has become
    more than `MOST_KEPT`: gaps that the blocks of one image left do not suit those of
    one of another size, so that they become more and more.
    """
    global _users, _floor
    libc = _gnu_libc()
    if libc is None:
        yield
        return
    if not _users:
        _floor = _resident()
    _users += 1
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 0x7FFFFFFF)
    try:
        yield
    finally:
        _users -= 1
        if not _users:
            # Where glibc's own adaptation ends after a few large blocks.
            libc.mallopt(M_MMAP_MAX, 65536)
            libc.mallopt(M_MMAP_THRESHOLD, 32 * MEGABYTE)
            libc.mallopt(M_TRIM_THRESHOLD, 64 * MEGABYTE)
            libc.malloc_trim(0)
        elif _resident() - _floor > MOST_KEPT:
            libc.malloc_trim(0)
            _floor = _resident()


def _resident() -> int:
    """Return the bytes of memory that the process has."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _gnu_libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    # Other C libraries, such as musl, have neither.
    known = hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim")
    return libc if known else None
