"""What is in the folders that commands are given."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_unet.cli.outputs import RESULTS
from napari_unet.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Windows puts them into folders, and hides them.
OF_WINDOWS = {"thumbs.db", "desktop.ini"}


def visible(folder: Path, what: str) -> list[Path]:
    """Return what is in a folder, in order, but for what is hidden.

    Raises
    ------
    ImageError
        If there is no such folder, or it may not be read; it begins with `what` the
        folder was given as.
    """
    try:
        if not folder.is_dir():
            raise ImageError(
                f"{what}: there is no folder '{folder}'. Give the folder that holds "
                "the files."
            )
        return sorted(
            p
            for p in folder.iterdir()
            if not p.name.startswith(".") and p.name.lower() not in OF_WINDOWS
        )
    except OSError as error:
        raise ImageError(
            f"{what}: the folder '{folder}' cannot be read: {error.strerror}. Give a "
            "folder that you may read."
        ) from error


def images_of(paths: Iterable[Path]) -> list[Path]:
    """Return the images that are given, or are in a folder that is given.

    In a folder each file counts, and each zarr folder, but for what a prediction has
    written there. A plate or a well of OME-Zarr is its images.

    Raises
    ------
    ImageError
        If a folder may not be read, or there is nothing in it.
    """
    from napari_unet.images.omezarr import is_zarr

    images: list[Path] = []
    for path in paths:
        if not os.path.isdir(path) or is_zarr(path):
            images += _fields(path) or [path]
            continue
        found = [
            p
            for p in visible(path, "IMAGES")
            if (is_zarr(p) or not os.path.isdir(p)) and not p.name.endswith(RESULTS)
        ]
        if not found:
            raise ImageError(
                f"There is no image in the folder '{path}'. Give images, or the folder "
                "that holds them."
            )
        images += [image for p in found for image in _fields(p) or [p]]
    return images


def _fields(path: Path) -> list[Path]:
    """Return the images of a plate or a well, none of what is neither or damaged."""
    from napari_unet.images.omezarr import fields_of, is_zarr
    from napari_unet.images.open import file_errors

    if is_zarr(path):
        # Opening it as an image says what is wrong.
        with suppress(ImageError), file_errors(path):
            return fields_of(path)
    return []
