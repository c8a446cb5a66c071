"""Reading label images: whole numbers, 0 is background."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.errors import ImageError
from napari_unet.images.axes import size_text
from napari_unet.images.image import Image
from napari_unet.images.open import file_errors, open_image
from napari_unet.images.paths import expanded
from napari_unet.images.picture import is_jpeg, read_indices


def read_labels_of(image: Image, path: str | Path) -> npt.NDArray[np.uint32]:
    """Read the labels of an image, see `read_labels`.

    Returns
    -------
    ndarray of uint32, (..., Y, X)
        Along the image's `stack_axes`, Y and X.
    """
    # A file that names no axes has those of its image, in their order.
    axes = image.axes.replace("C", "")
    labels = read_labels(path, tuple(image.sizes[a] for a in axes), axes)
    order = [axes.index(a) for a in image.stack_axes + "YX"]
    return np.ascontiguousarray(labels.transpose(order))


def read_labels(
    path: str | Path, shape: tuple[int, ...] | None = None, axes: str | None = None
) -> npt.NDArray[np.uint32]:
    """Read a label image from TIFF, PNG, npy or zarr.

    Parameters
    ----------
    path : str or Path
        A file or a zarr folder.
    shape : tuple of int, optional
        The shape that the labels must have, e.g. that of their image; axes of size 1
        may be missing or surplus.
    axes : str, optional
        A letter for each axis of `shape`: a file that names the same ones in another
        order is turned to this one.

    Returns
    -------
    ndarray of uint32, (..., Y, X)
        The colour numbers, where the file has a palette.

    Raises
    ------
    ImageError
        If the file cannot be read, is a colour picture or a JPEG, holds other than
        whole numbers from 0 to 2**32 - 1, or has another shape.
    """
    path = expanded(path)
    image = open_image(path)
    if is_jpeg(path):
        raise ImageError(
            f"'{path.name}' is a JPEG, which does not keep numbers as they are, so it "
            "is not a label image. Save labels as TIFF or PNG."
        )
    labels: npt.NDArray[Any]
    if image.rgb:
        with file_errors(path):
            indices = read_indices(path)
        if indices is None:
            raise ImageError(
                f"'{path.name}' is a colour picture, not a label image. Labels have "
                "one whole number for each pixel: save them as a 16-bit grey TIFF."
            )
        labels = indices
    else:
        with file_errors(path):
            labels = np.asarray(image.data[...])
    if shape is not None and axes is not None and image.named:
        labels = _turned(labels, image.axes, shape, axes)
    if shape is not None and labels.shape != shape:
        if np.squeeze(labels).shape != tuple(n for n in shape if n != 1):
            raise ImageError(
                f"The labels in '{path.name}' are of size {size_text(labels.shape)}, "
                f"but {size_text(shape)} is needed. Choose the labels of this very "
                "image."
            )
        labels = labels.reshape(shape)
    if labels.dtype.kind == "f":
        labels = _whole_numbers(labels, path.name)
    check_range(labels, path.name)
    return np.array(labels, np.uint32, order="C")


def _turned(
    labels: npt.NDArray[Any], axes: str, shape: tuple[int, ...], wanted: str
) -> npt.NDArray[Any]:
    """Return labels with their axes in the order `wanted`, if these are the same.

    Axes of size 1 count on neither side.
    """
    own = [a for a, n in zip(axes, labels.shape, strict=True) if n != 1]
    order = [a for a, n in zip(wanted, shape, strict=True) if n != 1]
    if sorted(own) != sorted(order):
        return labels
    return np.squeeze(labels).transpose([own.index(a) for a in order])


def check_range(labels: npt.NDArray[Any], name: str) -> None:
    """Raise `ImageError` unless these are whole numbers that labels can be."""
    low, high = (labels.min(), labels.max()) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise ImageError(
            f"The labels of '{name}' go from {low} to {high}. Labels are whole numbers "
            "from 0, the background, to 4294967295."
        )


def _whole_numbers(labels: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Take labels that ImageJ saved as decimal numbers for what they are."""
    if not np.array_equal(labels, np.round(labels)) or np.isinf(labels).any():
        raise ImageError(
            f"'{name}' holds decimal numbers, so it is not a label image. Labels have "
            "one whole number for each pixel: save them as a 16-bit grey TIFF."
        )
    return labels
