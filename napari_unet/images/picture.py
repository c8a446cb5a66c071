"""PNG, JPEG and what else Pillow reads."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_unet.errors import ImageError
from napari_unet.images.image import Image

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_GREY = {"1", "L", "I", "I;16", "I;16L", "I;16B", "F"}


def open_picture(path: Path, name: str) -> Image:
    """Read a picture: grey ``"YX"``, or colour ``"YXC"`` with three or four channels.

    The opacity of a grey picture is dropped.

    Raises
    ------
    ImageError
        If the file is not a picture, or has more pixels than Pillow is ready to read.
    """
    with path.open("rb") as file:
        png = file.read(len(_PNG)) == _PNG
    notes: tuple[str, ...] = ()
    if png:
        # Pillow would cut colours of 16 bits down to 8.
        import imagecodecs

        pixels = imagecodecs.png_decode(path.read_bytes())
    else:
        pixels, frames = _read_with_pillow(path)
        if frames > 1:
            notes = (f"The file holds {frames} pictures; the first one was opened.",)
    if pixels.ndim == 3 and pixels.shape[-1] == 2:
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        return Image(pixels, "YX", name, notes=notes)
    return Image(pixels, "YXC", name, rgb=True, notes=notes)


def is_jpeg(path: Path) -> bool:
    """Tell whether a file, or a folder, is a JPEG."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_JPEG)) == _JPEG


def read_indices(path: Path) -> npt.NDArray[np.uint8] | None:
    """Read the colour numbers of a palette picture; None if it is of another kind."""
    import PIL.Image

    try:
        with PIL.Image.open(path) as picture:
            return np.asarray(picture) if picture.mode == "P" else None
    except PIL.UnidentifiedImageError:
        return None


def _read_with_pillow(path: Path) -> tuple[npt.NDArray[Any], int]:
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            picture = PIL.Image.open(path)
        with picture:
            frames = getattr(picture, "n_frames", 1)
            if picture.mode in _GREY:
                return np.array(picture), frames
            grey = picture.mode in ("LA", "La")
            return np.array(picture.convert("L" if grey else "RGB")), frames
    except PIL.UnidentifiedImageError:
        raise ImageError(
            f"'{path.name}' is not an image of a kind that can be read. Save it as "
            "TIFF, OME-TIFF, OME-Zarr, PNG or JPEG, for example with Fiji."
        ) from None
    except PIL.Image.DecompressionBombError:
        raise ImageError(
            f"'{path.name}' has too many pixels for a file of its kind. Save it as "
            "TIFF or OME-Zarr, which are read part by part."
        ) from None
