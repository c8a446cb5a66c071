"""What a file says of its axes, where the reader that opened it has dropped that."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import NamedTuple

from napari_unet.errors import ImageError


class _Axes(NamedTuple):
    letters: str
    shape: tuple[int, ...]


def axes_in_file(path: str | None, shape: tuple[int, ...]) -> str | None:
    """Return a letter for each axis of an image of this shape, if its file says so.

    The first time it reads where the pages of the file are, in thousands of them some
    tenths of a second.

    Parameters
    ----------
    path : str or None
        Of a TIFF file or a zarr folder; others name no axes.
    shape : tuple of int
        Of what a reader has made of it.
    """
    try:
        if path is None or not (os.path.isdir(path) or _is_tiff(path)):
            return None
        named = _read(path, os.stat(path).st_mtime)
    except OSError:
        # It is gone, or on the web.
        return None
    return named.letters if named and named.shape == shape else None


def _is_tiff(path: str) -> bool:
    return path.lower().endswith((".tif", ".tiff"))


@lru_cache(maxsize=64)
def _read(path: str, changed: float) -> _Axes | None:
    """Read what a file says, once for each time that it was changed."""
    from napari_unet.images import open_image

    try:
        image = open_image(path)
    except ImageError:
        return None
    return _Axes(image.axes, tuple(image.data.shape)) if image.named else None
