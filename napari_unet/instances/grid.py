"""An image in a row, with a border, so that a neighbour is a step whatever the axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Pixels that are worked on at once, so that they stay in the cache.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Grid:
    """The pixels of an image and a border of one pixel around it, in C order.

    Parameters
    ----------
    image_shape : tuple of int
        (Y, X) or (Z, Y, X), without the border.
    """

    image_shape: tuple[int, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape with the border."""
        return tuple(n + 2 for n in self.image_shape)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """How far apart two neighbours along each axis are."""
        return tuple(prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    @cached_property
    def earlier(self) -> tuple[int, ...]:
        """The steps to the half of the neighbours, corners too, that come before."""
        around = list(product((-1, 0, 1), repeat=len(self.shape)))
        return tuple(
            sum(o * stride for o, stride in zip(offset, self.strides, strict=True))
            for offset in around[: len(around) // 2]
        )

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps to all neighbours: `earlier`, and each of them the other way."""
        return (*self.earlier, *(-step for step in self.earlier))

    def flat(self, image: NDArray[Any], **border: Any) -> NDArray[Any]:
        """Return an image as a row; `border` is what `numpy.pad` makes one from."""
        return np.pad(image, 1, **border).reshape(-1)

    def inside(self, flat: NDArray[Any]) -> NDArray[Any]:
        """Return a row as an image without its border; a view."""
        return flat.reshape(self.shape)[(slice(1, -1),) * len(self.shape)]

    def blocks(self) -> Iterator[slice]:
        """Yield slices that hold all of the image and have all neighbours."""
        reach = sum(self.strides)
        end = prod(self.shape) - reach
        for begin in range(reach, end, BLOCK):
            yield slice(begin, min(begin + BLOCK, end))


def moved(block: slice, step: int) -> slice:
    """Return a block's neighbours."""
    return slice(block.start + step, block.stop + step)
