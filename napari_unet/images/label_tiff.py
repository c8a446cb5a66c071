"""Writing label images as TIFF."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.errors import ImageError
from napari_unet.images.labels import check_range
from napari_unet.images.paths import expanded
from napari_unet.images.whole import restored, written_whole

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
    write_all_labels({expanded(path): labels}, axes)


def write_all_labels(results: Mapping[Path, npt.NDArray[Any]], axes: str) -> None:
    """Write several label images of the same axes: all of them or none.

    See `write_labels`; the older files are there until all new ones are written, and
    again if one of these cannot take its place. Only a process that ends between two
    renames leaves some of both.
    """
    with ExitStack() as files:
        # Left in reverse, so the first one is replaced when nothing can fail any more.
        for path in list(results)[1:]:
            files.enter_context(restored(path))
        for path, labels in results.items():
            compact = _compact(labels, path.name)
            _write_tiff(files.enter_context(written_whole(path)), compact, axes)


def _write_tiff(path: Path, labels: npt.NDArray[Any], axes: str) -> None:
    import tifffile

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
    tifffile.imwrite(
        path,
        labels,
        compression="zlib",
        photometric="minisblack",
        bigtiff=labels.nbytes > _LARGEST_CLASSIC_TIFF,
        **options,
    )


def _compact(labels: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if labels.dtype.kind not in "bui":
        raise ImageError(
            f"The labels for '{name}' are of type {labels.dtype}. Labels are whole "
            "numbers."
        )
    check_range(labels, name)
    if labels.dtype.itemsize == 1:
        return labels.astype(np.uint8, copy=False)
    fits = labels.size == 0 or labels.max() <= np.iinfo(np.uint16).max
    return labels.astype(np.uint16 if fits else np.uint32, copy=False)
