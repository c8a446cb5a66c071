"""Label images as files: whole numbers, 0 is background."""

import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.errors import ImageError
from napari_unet.images.open import file_errors, open_image
from napari_unet.images.picture import read_indices

_LARGEST_CLASSIC_TIFF = 4_000_000_000


def write_labels(path: str | Path, labels: npt.NDArray[Any], axes: str) -> None:
    """Write labels as a TIFF that ImageJ opens, compressed with zlib.

    The file is complete or not there at all: it is written beside its place and then
    renamed. An older file of that name is replaced.

    Parameters
    ----------
    path : str or Path
        The file to write, by custom ending in .tif.
    labels : ndarray of bool or integers
        Stored in the smallest of uint8, uint16 and uint32 that holds them, uint8 only
        where `labels` are of 8 bits.
    axes : str
        A letter for each axis, e.g. ``"ZYX"``; ImageJ knows T, Z, Y and X, which are
        stored in this order. With other letters a plain TIFF stack is written.

    Raises
    ------
    ImageError
        If the labels are not whole numbers from 0 to 2**32 - 1, or the file cannot be
        written.
    """
    import tifffile

    path = Path(path).expanduser()
    labels = _compact(labels, path.name)
    if len(axes) != labels.ndim:
        raise ValueError(f"axes {axes} for labels of shape {labels.shape}")
    options: dict[str, Any] = {"metadata": {"axes": axes}}
    if set(axes) <= set("TZYX"):
        order = [axes.index(a) for a in "TZYX" if a in axes]
        labels = labels.transpose(order)
        axes = "".join(axes[i] for i in order)
        # tifffile refuses 32 bits with its own ImageJ option; ImageJ reads them.
        description = tifffile.imagej_description(labels.shape, axes=axes)
        options = {"metadata": None, "description": description}
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.unfinished")
    try:
        tifffile.imwrite(
            unfinished,
            labels,
            compression="zlib",
            photometric="minisblack",
            bigtiff=labels.nbytes > _LARGEST_CLASSIC_TIFF,
            **options,
        )
        os.replace(unfinished, path)
    except OSError as error:
        raise ImageError(
            f"'{path}' cannot be written: {error.strerror or error}. Check that the "
            "folder exists, that you may write there and that the disk is not full."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def read_labels(
    path: str | Path, shape: tuple[int, ...] | None = None
) -> npt.NDArray[np.uint32]:
    """Read a label image from TIFF, PNG, npy or zarr.

    Parameters
    ----------
    path : str or Path
        A file or a zarr folder.
    shape : tuple of int, optional
        The shape that the labels must have, e.g. that of their image; axes of size 1
        may be missing or surplus.

    Returns
    -------
    ndarray of uint32, (..., Y, X)
        The colour numbers, where the file has a palette.

    Raises
    ------
    ImageError
        If the file cannot be read, is a colour picture, holds other than whole numbers
        from 0 to 2**32 - 1, or has another shape.
    """
    path = Path(path).expanduser()
    image = open_image(path)
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
    if shape is not None and labels.shape != shape:
        if np.squeeze(labels).shape != tuple(n for n in shape if n != 1):
            raise ImageError(
                f"The labels in '{path.name}' are of size {_size(labels.shape)}, but "
                f"{_size(shape)} is needed. Choose the labels of this very image."
            )
        labels = labels.reshape(shape)
    if labels.dtype.kind == "f":
        labels = _whole_numbers(labels, path.name)
    _check_range(labels, path.name)
    return np.array(labels, np.uint32, order="C")


def _compact(labels: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if labels.dtype.kind not in "bui":
        raise ImageError(
            f"The labels for '{name}' are of type {labels.dtype}. Labels are whole "
            "numbers."
        )
    _check_range(labels, name)
    if labels.dtype.itemsize == 1:
        return labels.astype(np.uint8, copy=False)
    fits = labels.size == 0 or labels.max() <= np.iinfo(np.uint16).max
    return labels.astype(np.uint16 if fits else np.uint32, copy=False)


def _check_range(labels: npt.NDArray[Any], name: str) -> None:
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


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
