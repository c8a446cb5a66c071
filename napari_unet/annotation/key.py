"""A name under which the labels of an image are found again."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.images.region import Region

if TYPE_CHECKING:
    from napari_unet.images import Image

# An image without a file is known by some of its pixels: windows in a grid, on the
# first, the middle and the last plane.
WINDOW, GRID = 32, 4


def image_key(image: Image, path: Path | str | None = None) -> str:
    """Return a key, the same in every session, that can name a folder.

    Parameters
    ----------
    image : Image
        Its shape is part of the key, and some of its pixels if it has no path.
    path : Path, optional
        Of the file or folder that it was opened from.
    """
    digest = sha256(repr(sorted(image.sizes.items())).encode())
    if path is not None:
        path = Path(path).expanduser().resolve()
        digest.update(str(path).encode())
        stem = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-")[:40]
        return f"{stem or 'image'}-{digest.hexdigest()[:16]}"
    for region in _windows(image):
        pixels = image.read(region)
        digest.update(pixels.dtype.str.encode() + pixels.tobytes())
    return f"pixels-{digest.hexdigest()[:16]}"


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
