"""An image from an array that is open already, such as a napari layer's."""

from collections.abc import Sequence
from typing import Any

from napari_unet.errors import ImageError
from napari_unet.images.axes import UNKNOWN, check_axes, guess_axes, guess_note
from napari_unet.images.image import Image


def image_from_array(
    data: Any, axes: str | None = None, rgb: bool = False, name: str = "image"
) -> Image:
    """Make an image of an array without reading or copying it.

    Parameters
    ----------
    data : array-like
        A numpy, dask or zarr array, or a memory map; of a multiscale pyramid (a
        sequence of arrays, finest first) the finest level is taken.
    axes : str, optional
        A letter for each axis, e.g. ``"ZYX"``; guessed, with a note, where missing.
    rgb : bool
        Whether the channels are red, green, blue (and opacity). Without `axes` they
        are the last axis, as in napari.
    name : str
        What to call the image.

    Returns
    -------
    Image

    Raises
    ------
    ImageError
        If the axes do not fit the array or the array is no image.
    """
    if isinstance(data, Sequence) and len(data) > 0:
        data = data[0]
    if not hasattr(data, "dtype") or not hasattr(data, "shape"):
        raise ImageError(
            f"This is no image but a {type(data).__name__}. Give an array of pixels."
        )
    shape = tuple(data.shape)
    if axes is not None:
        axes = axes.upper().replace("S", "C")
        check_axes(axes, shape)
        return Image(data, axes, name, rgb)
    known = UNKNOWN * (len(shape) - 1) + "C" if rgb else None
    axes, looks_rgb = guess_axes(shape, known)
    certain = axes == "YX" or (rgb and axes == "YXC")
    notes = () if certain else (guess_note(shape, axes),)
    return Image(data, axes, name, rgb or looks_rgb, notes)
