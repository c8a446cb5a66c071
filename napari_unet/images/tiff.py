"""TIFF in all its dialects: plain, ImageJ, OME-TIFF, slide scanners' pyramids."""

import logging
import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from napari_unet.errors import ImageError
from napari_unet.images.axes import UNKNOWN, guess_axes, guess_note
from napari_unet.images.image import Image
from napari_unet.images.picture import open_picture
from napari_unet.images.units import micrometres

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

MISSING = "Planes are missing in the file; they are black."
# What tifffile calls axes that it knows nothing about: other, image sequence.
_NAMELESS = "QI"
_COLOUR = {"RGB", "YCBCR", "CIELAB"}


def open_tiff(path: Path, name: str) -> Image:
    """Open the first image of a TIFF file without reading its pixels.

    Uncompressed images are mapped into memory, others are decoded strip by strip
    or tile by tile as they are read. Of a pyramid the finest level is taken.

    Raises
    ------
    ImageError
        If the file ends too early or holds no image.
    """
    with _complaints() as complaints:
        image = _open(path, name)
    if not complaints or MISSING in image.notes:
        return image
    note = (
        f"Something in the file is not as it should be: {complaints[0]}. Copy or "
        "export it again where the image looks wrong."
    )
    return replace(image, notes=(*image.notes, note))


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs of a file, which would else be printed."""
    complaints: list[str] = []
    thread = get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                complaints.append(record.getMessage().rstrip("."))

    log, collector = logging.getLogger("tifffile"), Collector(logging.WARNING)
    log.addHandler(collector)
    try:
        yield complaints
    finally:
        log.removeHandler(collector)


def _open(path: Path, name: str) -> Image:
    from tifffile import TiffFile

    tif = TiffFile(path)
    try:
        if not tif.series or not len(tif.series[0].pages):
            raise ImageError(f"'{path.name}' is a TIFF file without an image in it.")
        series = tif.series[0]
        if getattr(series.keyframe.photometric, "name", "") == "SEPARATED":
            # Inks are the opposite of red, green and blue; Pillow converts them.
            tif.close()
            return open_picture(path, name)
        _check_complete(tif, series, path)
        axes, rgb, notes = _axes(series)
        named = not notes and _names_axes(tif, series)
        if len(tif.series) > 1:
            notes = (
                *notes,
                f"The file holds {len(tif.series)} images; the first one was opened.",
            )
        if series.kind == "ome" and any(page is None for page in series.pages):
            notes = (*notes, MISSING)
        pixel_size = _pixel_size(tif)
        data = _array(tif, series, path)
    except BaseException:
        tif.close()
        raise
    return Image(data, axes, name, rgb, notes, pixel_size, named)


def _array(tif: "TiffFile", series: "TiffPageSeries", path: Path) -> Any:
    """Return the series as a memory map where it can be one, else as a zarr array."""
    page = series.keyframe
    if series.dataoffset is not None and page.is_memmappable:
        import tifffile

        tif.close()
        return tifffile.memmap(path, mode="r", series=0, level=0)
    import zarr

    array = zarr.open_array(series.aszarr(level=0), mode="r")
    # The array reads through the open file, which nobody else closes.
    weakref.finalize(array, tif.close)
    return array


def _check_complete(tif: "TiffFile", series: "TiffPageSeries", path: Path) -> None:
    """Raise `ImageError` if pages end beyond the file or are missing.

    tifffile itself opens what is left.
    """
    size = tif.filehandle.size
    for page in (series.pages[0], series.pages[-1]):
        if page is None or page.parent is not tif:
            continue
        if series.dataoffset is not None:
            end = series.dataoffset + series.nbytes
        elif page.dataoffsets and len(page.dataoffsets) == len(page.databytecounts):
            end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=True)))
        else:
            raise ImageError(
                f"'{path.name}' is incomplete: it does not say where its pixels are. "
                "Copy or export it again."
            )
        if end > size:
            raise ImageError(
                f"'{path.name}' is incomplete: it should be at least {end} bytes long "
                f"but is {size}. Copy or export it again."
            )
    pointer = tif.pages.next_page_offset
    if pointer is not None:
        tif.filehandle.seek(pointer)
        following = tif.filehandle.read(tif.tiff.offsetsize)
        if len(following) < tif.tiff.offsetsize or any(following):
            raise ImageError(
                f"'{path.name}' is incomplete: it says that more pages follow the "
                f"{len(tif.pages)} that are there. Copy or export it again."
            )


def _axes(series: "TiffPageSeries") -> tuple[str, bool, tuple[str, ...]]:
    """Return the axes, whether they are colours, and what was guessed."""
    shape, page = series.shape, series.keyframe
    colour = getattr(page.photometric, "name", "") in _COLOUR
    axes = series.axes
    known = "".join(UNKNOWN if a in _NAMELESS else a for a in axes)
    if series.kind == "shaped" and known != axes:
        # tifffile's own files name the last axes by their position alone.
        known = "".join("S" if a == "S" else UNKNOWN for a in axes)
    rgb = False
    if "S" in known and "C" in known:
        # Colours are the channels; what was called channel is one more axis.
        known = known.replace("C", UNKNOWN)
    if "S" in known:
        rgb = colour and shape[known.index("S")] in (3, 4)
        known = known.replace("S", "C")
    if len(set(known.replace(UNKNOWN, ""))) < len(known.replace(UNKNOWN, "")):
        known = UNKNOWN * len(known)
    if UNKNOWN not in known and {"Y", "X"} <= set(known):
        return known, rgb, ()
    letters, looks_rgb = guess_axes(shape, known)
    return letters, rgb or looks_rgb, (guess_note(shape, letters),)


def _names_axes(tif: "TiffFile", series: "TiffPageSeries") -> bool:
    """Tell whether the file says what its axes are, and not their order alone."""
    if series.kind == "shaped":
        return "axes" in (tif.shaped_metadata or ({},))[0]
    return series.kind in ("ome", "imagej")


def _pixel_size(tif: "TiffFile") -> dict[str, float]:
    """Read the pixel size from OME's or ImageJ's metadata."""
    if tif.is_ome and tif.ome_metadata:
        return _ome_pixel_size(tif.ome_metadata)
    if not tif.is_imagej or not tif.imagej_metadata:
        return {}
    metadata, tags = tif.imagej_metadata, tif.pages[0].tags
    unit = str(metadata.get("unit", ""))
    sizes = {}
    for axis, tag in (("Y", "YResolution"), ("X", "XResolution")):
        # ImageJ counts pixels per unit, as a fraction.
        count, units = tags[tag].value if tag in tags else (0, 0)
        if count and units:
            sizes[axis] = micrometres(units / count, unit)
    if isinstance(metadata.get("spacing"), (int, float)):
        sizes["Z"] = micrometres(float(metadata["spacing"]), unit)
    return {a: s for a, s in sizes.items() if s is not None}


def _ome_pixel_size(xml: str) -> dict[str, float]:
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", xml))
    except ElementTree.ParseError:
        return {}
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return {}
    sizes = {}
    for axis in "ZYX":
        size = pixels.get(f"PhysicalSize{axis}")
        unit = pixels.get(f"PhysicalSize{axis}Unit", "µm")
        try:
            value = micrometres(float(size or 0), unit)
        except ValueError:
            continue
        if value is not None:
            sizes[axis] = value
    return sizes
