"""What an array reads at a time, and parts of an image that are made of it."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from napari_unet.images.image import Image
from napari_unet.images.region import Region

_BLOCK = 1024


def chunk_shape(image: Image) -> tuple[int, int]:
    """Return the height and width of what a zarr or dask array reads at a time.

    xarray says of each axis how long all its chunks are.
    """
    chunks = getattr(image.data, "chunksize", getattr(image.data, "chunks", None))
    if not chunks:
        return 1, 1
    sizes = dict(zip(image.axes, chunks, strict=True))
    return int(np.max(sizes["Y"])), int(np.max(sizes["X"]))


def block_shape(image: Image) -> tuple[int, int]:
    """Return the height and width of whole chunks, about 1024 pixels along a side."""
    rows, columns = (
        min(side, math.ceil(_BLOCK / chunk) * chunk)
        for side, chunk in zip(image.plane_shape, chunk_shape(image), strict=True)
    )
    return rows, columns


def bands(image: Image, plane: Mapping[str, int]) -> Iterator[Region]:
    """Yield a plane of an image in bands of whole chunks, from top to bottom.

    One that is read so takes no more memory than a band, and between two one can stop.
    """
    height, width = image.plane_shape
    rows, _ = block_shape(image)
    for y in range(0, height, rows):
        yield Region(y, 0, min(y + rows, height), width, plane)
