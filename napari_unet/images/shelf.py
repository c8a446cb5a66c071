"""Many image files to read from again and again, of which a few are open at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.images.open import open_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_unet.images.image import Image

# Far below what a process may have open: 256 on macOS.
MOST_OPEN = 16


class Shelf:
    """Opens image files for as long as they are read from.

    Parameters
    ----------
    most : int
        Files that are open at a time, at most: those that were read last.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._open = lru_cache(most)(open_image)

    def image(self, path: Path, axes: str | None = None) -> Image:
        """Open an image as `open_image` does, to be closed and opened again."""
        image = self._open(path, axes)
        if type(image.data) is np.ndarray:
            return image  # in memory: a picture
        return replace(
            image, data=_Reopened.like(image, partial(self._open, path, axes))
        )


@dataclass(frozen=True)
class _Reopened:
    """The pixels of a file that may have been closed since they were last read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...] | None
    open: Callable[[], Image]

    @classmethod
    def like(cls, image: Image, open: Callable[[], Image]) -> _Reopened:
        data = image.data
        return cls(data.shape, data.dtype, getattr(data, "chunks", None), open)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.asarray(self.open().data[index])
