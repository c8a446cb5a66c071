"""A name under which the labels of an image are found again."""

from __future__ import annotations

import operator
import re
from contextlib import suppress
from hashlib import sha256
from itertools import count, groupby, product
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.errors import ImageError
from napari_unet.images import image_from_array
from napari_unet.images.chunks import chunk_shape
from napari_unet.images.region import Region

if TYPE_CHECKING:
    from collections.abc import Container

    from napari_unet.images import Image

# An image is known by some of its pixels: windows in a grid, on the first, the middle
# and the last plane.
WINDOW, GRID = 32, 4

# Between what the file is, and what its pixels are.
_BEFORE_PIXELS = "."


def image_key(image: Image, path: Path | str | None = None) -> str:
    """Return a key, the same in every session, that can name a folder.

    What its axes are called is no part of it.

    Parameters
    ----------
    image : Image
        Its shape and some of its pixels are part of the key.
    path : Path, optional
        Of the file or folder that it was opened from.
    """
    # Named by the shape alone, however the user names them.
    image = image_from_array(image.data)
    pixels = sha256(repr(image.data.shape).encode() + _sample(image))
    if path is None:
        return f"pixels-{pixels.hexdigest()[:16]}"
    # A file's name may be no valid text.
    file = f"{_address(path)} {image.data.shape}".encode(errors="surrogatepass")
    of_file = f"{_stem(path)}-{sha256(file).hexdigest()[:16]}"
    return f"{of_file}{_BEFORE_PIXELS}{pixels.hexdigest()[:8]}"


def former_key(image: Image, path: Path | str | None = None) -> str:
    """Return the key that the first versions gave, with what the axes are called.

    The parameters are those of `image_key`.
    """
    digest = sha256(repr(sorted(image.sizes.items())).encode())
    if path is None:
        digest.update(_sample(image))
        return f"pixels-{digest.hexdigest()[:16]}"
    digest.update(_address(path).encode(errors="surrogatepass"))
    return f"{_stem(path)}-{digest.hexdigest()[:16]}"


def file_part(key: str) -> str | None:
    """Return what keys of images from the same file begin with, None without a file.

    It may hold several of one shape, such as channels, or other pixels than before.
    """
    of_file, found, _ = key.partition(_BEFORE_PIXELS)
    return of_file + found if found else None


def free_key(key: str, taken: Container[str | None]) -> str:
    """Return the key, or one made from it that is not taken."""
    keys = (key if number == 1 else f"{key}-{number}" for number in count(1))
    return next(k for k in keys if k not in taken)


def _address(path: Path | str) -> str:
    """Return where a file is, from wherever one asks: a full path, or its URL."""
    # Two letters at least: one is a drive of Windows.
    url = re.match(r"[a-z][a-z0-9+.-]+://", str(path), re.IGNORECASE)
    return str(path) if url else str(Path(path).expanduser().resolve())


def _stem(path: Path | str) -> str:
    """Return what of a file's name can be in that of any folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(path).stem).strip("-")[:40] or "image"


def _sample(image: Image) -> bytes:
    """Return some of the pixels, and of which type they are."""
    sample = b""
    # Where a plane is read as a whole anyway, once is enough.
    at_once = all(map(operator.ge, chunk_shape(image), image.plane_shape))
    for plane, windows in groupby(_windows(image), lambda window: window.plane):
        # What is damaged can be labelled elsewhere.
        with suppress(ImageError):
            whole = image.read(image.whole(plane)) if at_once else None
            for region in windows:
                with suppress(ImageError):
                    values = (
                        image.read(region)
                        if whole is None
                        else whole[:, *region.slices]
                    )
                    sample += values.dtype.str.encode() + values.tobytes()
    return sample


def _windows(image: Image) -> list[Region]:
    planes = list(image.planes())
    height, width = image.plane_shape
    chosen = sorted({0, len(planes) // 2, len(planes) - 1})
    rows, columns = (
        sorted({(n - min(n, WINDOW)) * i // (GRID - 1) for i in range(GRID)})
        for n in (height, width)
    )
    return [
        Region(y, x, min(y + WINDOW, height), min(x + WINDOW, width), planes[i])
        for i, y, x in product(chosen, rows, columns)
    ]
