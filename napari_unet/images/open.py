"""Open an image file, or a folder that is an image."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_unet.errors import ImageError, too_large
from napari_unet.images.array import image_from_array
from napari_unet.images.axes import check_axes, guess_note
from napari_unet.images.image import Image
from napari_unet.images.omezarr import open_zarr
from napari_unet.images.paths import expanded
from napari_unet.images.picture import open_picture
from napari_unet.images.tiff import open_tiff

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NPY = b"\x93NUMPY"
_ENDINGS = (".ome.tiff", ".ome.tif", ".ome.zarr")


def open_image(path: str | Path, axes: str | None = None) -> Image:
    """Open an image: PNG, JPEG, TIFF, OME-TIFF, ImageJ TIFF, OME-Zarr or ``.npy``.

    What a file is is told by its contents. TIFF, zarr and npy are read lazily, part by
    part; PNG and JPEG, which cannot be, at once.

    Parameters
    ----------
    path : str or Path
        A file, or an OME-Zarr folder.
    axes : str, optional
        A letter for each axis, e.g. ``"TYX"``, instead of those that the file names or
        that would be guessed.

    Returns
    -------
    Image
        Its `notes` say what was guessed.

    Raises
    ------
    ImageError
        If there is no such file, or it may not be read, is not an image, or is damaged.
    """
    path = expanded(path)
    with file_errors(path):
        image = _open(path)
        if axes is None:
            return image
        axes = axes.upper().replace("S", "C")
        check_axes(axes, image.data.shape)
    guessed = guess_note(image.data.shape, image.axes)
    notes = tuple(note for note in image.notes if note != guessed)
    return replace(image, axes=axes, notes=notes, rgb=image.rgb and axes == image.axes)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into an `ImageError` that names it."""
    try:
        yield
    except ImageError as error:
        if path.name in str(error):
            raise
        raise ImageError(f"'{path.name}': {error}") from error
    except FileNotFoundError as error:
        raise ImageError(
            f"There is no file '{path}'. Check its name and folder."
        ) from error
    except PermissionError as error:
        raise ImageError(
            f"'{path}' may not be read by you. Ask for permission to read it, or copy "
            "it to a folder of your own."
        ) from error
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise _damaged(path, error) from error
        raise ImageError(
            f"'{path}' cannot be opened now: too many files are open. Close other "
            "images or programs."
        ) from error
    except MemoryError as error:
        raise too_large(path.name) from error
    except Exception as error:
        # A parser raises whatever a damaged file leads it to.
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ImageError:
    why = str(error).rstrip(".")
    return ImageError(
        f"'{path.name}' cannot be opened as an image: {why}. It may be incomplete or "
        "damaged: copy or export it again."
    )


def _open(path: Path) -> Image:
    name = _name(path)
    if path.is_dir():
        return open_zarr(path, name)
    if not stat.S_ISREG(path.stat().st_mode):
        # Reading a pipe would wait for whoever writes into it.
        raise ImageError(f"'{path}' is no file. Choose an image file.")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise ImageError(f"'{path.name}' is an empty file. Copy or export it again.")
    if start.startswith(_TIFF):
        return open_tiff(path, name)
    if start.startswith(_NPY):
        return image_from_array(np.load(path, mmap_mode="r"), name=name)
    return open_picture(path, name)


def _name(path: Path) -> str:
    for ending in _ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)] or path.name
    return path.stem
