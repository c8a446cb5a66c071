"""An image seen larger or smaller, read part by part."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.images.image import Image

# In units of sigma: the blur before shrinking takes no notice of what is farther away.
REACH = 4.0
# The share of the pixels that a new one is made of which must be numbers; with less it
# is NaN.
LEAST_KNOWN = 0.5


def rescale(image: Image, factor: float) -> Image:
    """Return an image whose planes are `factor` times as high and wide.

    Parameters
    ----------
    image : Image
        Read when the result is read, and no more of it than is needed.
    factor : float
        Above 0; below 1 makes it smaller, with a blur before, so that what is too fine
        to be shown does not turn into something else.

    Returns
    -------
    Image
        float32, or float64 where the pixels have more than 16 bits and are not
        float32; linear between the pixels. NaN counts for nothing, and what is made of
        little else is NaN. Reading it in parts gives the same as reading it whole.
    """
    return replace(image, data=_Rescaled(image, factor))


def nearest_pixels(size: int, scaled: int) -> NDArray[np.intp]:
    """Return for each of `size` pixels which of `scaled` ones lies at its centre."""
    nearest = np.floor((np.arange(size) + 0.5) * scaled / size).astype(np.intp)
    return nearest.clip(max=scaled - 1)


def resize(plane: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return a plane ``(Y, X)`` with another shape, linear between its pixels."""
    out: NDArray[np.floating] = plane.astype(np.float32)
    for axis, (size, wanted) in enumerate(zip(plane.shape, shape, strict=True)):
        at = (np.arange(wanted) + 0.5) * size / wanted - 0.5
        out = _resample(out, axis, at, 0.0)
    return out


def _scaled(size: int, factor: float) -> int:
    return max(1, round(size * factor))


@dataclass
class _Rescaled:
    """An array that interpolates what is asked for."""

    image: Image
    factor: float

    def __post_init__(self) -> None:
        self.dtype = np.result_type(self.image.dtype, np.float32)
        self.shape = tuple(
            _scaled(n, self.factor) if a in "YX" else n
            for a, n in self.image.sizes.items()
        )
        self.ndim = len(self.shape)

    def __getitem__(self, index: tuple[Any, ...]) -> NDArray[np.floating]:
        """Return pixels; `index` has a slice for Y and for X, in order."""
        axes = self.image.axes
        cuts = list(index)
        steps: list[tuple[int, NDArray[np.float64]]] = []
        sigma = max(0.0, (1 / self.factor - 1) / 2)
        for axis in "YX":
            i = axes.index(axis)
            size, scaled = self.image.sizes[axis], self.shape[i]
            wanted = np.arange(*index[i].indices(scaled))
            at = (wanted + 0.5) * size / scaled - 0.5
            margin = math.ceil(REACH * sigma) + 1
            low = max(0, math.floor(at[0]) - margin)
            cuts[i] = slice(low, min(size, math.ceil(at[-1]) + margin + 1))
            # Whole numbers before it take their axes away.
            left = sum(isinstance(cut, slice) for cut in cuts[:i])
            steps.append((left, at - low))
        pixels = np.asarray(self.image.data[tuple(cuts)]).astype(self.dtype)
        known = ~np.isnan(pixels)
        # Far enough below the largest number for sums of them to stay finite.
        most = float(np.finfo(self.dtype).max) / 4
        np.nan_to_num(pixels, copy=False, posinf=most, neginf=-most)
        share = None if known.all() else known.astype(self.dtype)
        for axis_left, places in steps:
            pixels = _resample(pixels, axis_left, places, sigma)
            if share is not None:
                share = _resample(share, axis_left, places, sigma)
        if share is not None:
            pixels /= np.where(share >= LEAST_KNOWN, share, np.nan)
        return pixels


def _resample(
    pixels: NDArray[np.floating], axis: int, at: NDArray[np.float64], sigma: float
) -> NDArray[np.floating]:
    from scipy.ndimage import gaussian_filter1d

    if sigma:
        pixels = gaussian_filter1d(pixels, sigma, axis, mode="nearest", truncate=REACH)
    at = at.clip(0, pixels.shape[axis] - 1)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, pixels.shape[axis] - 1)
    shape = [1] * pixels.ndim
    shape[axis] = -1
    part = (at - low).astype(pixels.dtype).reshape(shape)
    mixed: NDArray[np.floating] = (
        pixels.take(low, axis) * (1 - part) + pixels.take(high, axis) * part
    )
    return mixed
