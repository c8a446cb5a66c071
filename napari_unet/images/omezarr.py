"""OME-Zarr (zarr 2 and 3), and plain zarr arrays."""

import math
import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_unet.errors import ImageError
from napari_unet.images.axes import UNKNOWN, guess_axes, guess_note
from napari_unet.images.image import Image
from napari_unet.images.units import micrometres

if TYPE_CHECKING:
    import zarr

# Looking for more files than this would be felt when an image is opened.
MOST_LOOKED_FOR = 10_000
# What says of a folder that it is zarr.
_MARKS = (".zarray", ".zgroup", "zarr.json")
_TYPES = {"channel": "C", "time": "T"}


def is_zarr(path: Path) -> bool:
    """Say whether a folder is zarr, 2 or 3, whatever is in it."""
    return any(os.path.isfile(path / name) for name in _MARKS)


def fields_of(path: Path) -> list[Path]:
    """Return the images of a plate or a well, in its order; none of any other folder.

    A well of a plate that is not there is among them: opening it says so.
    """
    import zarr

    node = zarr.open(str(path), mode="r")
    attributes = _ome(node) if isinstance(node, zarr.Group) else {}
    if "plate" in attributes:
        wells = [path / well["path"] for well in attributes["plate"]["wells"]]
        there = [fields_of(well) if is_zarr(well) else [well] for well in wells]
        return list(chain.from_iterable(there))
    images = attributes.get("well", {}).get("images", [])
    return [path / image["path"] for image in images]


def open_zarr(path: Path, name: str) -> Image:
    """Open the finest level of an OME-Zarr image, or a zarr array, lazily.

    Raises
    ------
    ImageError
        If the folder is not OME-Zarr, is a plate of many images, or lacks an array.
    """
    import zarr

    try:
        node = zarr.open(str(path), mode="r")
    except FileNotFoundError:
        raise ImageError(
            f"The folder '{path.name}' is not an OME-Zarr image. Choose the image "
            "files inside it, or the folder whose name ends in .zarr."
        ) from None
    if isinstance(node, zarr.Array):
        return _open_array(node, name)
    notes: tuple[str, ...] = ()
    attributes = _ome(node)
    if "bioformats2raw.layout" in attributes:
        notes = ("The file may hold several images; the first one was opened.",)
        node = _child(node, "0", path)
        attributes = _ome(node)
    if "plate" in attributes or "well" in attributes:
        raise ImageError(
            f"'{path.name}' is a plate or a well with many images. Open one image, "
            f"e.g. '{path.name}/{_first_field(attributes)}'."
        )
    if not attributes.get("multiscales"):
        raise ImageError(
            f"'{path.name}' is a zarr folder without an OME-Zarr image in it (it has "
            "no 'multiscales'). Open one of the images or arrays inside it."
        )
    multiscale = attributes["multiscales"][0]
    dataset = multiscale["datasets"][0]
    array = _child(node, dataset["path"], path)
    axes, guessed = _axes(multiscale, array.shape)
    return Image(
        array,
        axes,
        name,
        notes=(*notes, *guessed, *_missing(array)),
        pixel_size=_pixel_size(multiscale, dataset, axes),
        named=not guessed,
    )


def _ome(group: "zarr.Group") -> dict[str, Any]:
    """Return OME's attributes: since version 0.5 they have a key of their own."""
    attributes = dict(group.attrs)
    return {**attributes, **attributes.get("ome", {})}


def _child(group: "zarr.Group", key: str, path: Path) -> Any:
    try:
        return group[key]
    except KeyError:
        raise ImageError(
            f"'{path.name}' is incomplete: its part '{key}' is missing. Copy or "
            "export it again."
        ) from None


def _first_field(attributes: Mapping[str, Any]) -> str:
    wells = attributes.get("plate", {}).get("wells", [{}])
    return f"{wells[0].get('path', 'A/1')}/0" if "plate" in attributes else "0"


def _open_array(array: "zarr.Array", name: str) -> Image:
    """Open an array that stands alone; zarr 3 may name its dimensions."""
    names = getattr(array.metadata, "dimension_names", None) or []
    letters = [_letter({"name": n}) for n in names]
    axes, notes = _complete(letters or [UNKNOWN] * array.ndim, array.shape)
    named = bool(names) and not notes
    return Image(array, axes, name, notes=(*notes, *_missing(array)), named=named)


def _missing(array: "zarr.Array") -> tuple[str, ...]:
    """Say that parts of an array have no file: zarr fills them in without a word.

    Writers leave out what is empty, so it may be as it should.
    """
    sides = array.shards or array.chunks
    parts = math.prod(-(-n // m) for n, m in zip(array.shape, sides, strict=True))
    if parts > MOST_LOOKED_FOR:
        return ()
    folders = os.walk(Path(array.store.root, array.path))
    found = sum(
        os.path.isfile(os.path.join(folder, name))
        for folder, _, names in folders
        for name in names
        if not name.startswith(".") and name != "zarr.json"
    )
    if found >= parts:
        return ()
    return (
        f"{parts - found} of its {parts} parts have no file; they are blank. Copy it "
        "again if that is not so.",
    )


def _axes(
    multiscale: Mapping[str, Any], shape: tuple[int, ...]
) -> tuple[str, tuple[str, ...]]:
    """Name the axes. Versions before 0.3 had no names: they were always TCZYX."""
    axes = multiscale.get("axes", [])
    if not axes and len(shape) == 5:
        return "TCZYX", ()
    letters = [_letter(a if isinstance(a, Mapping) else {"name": a}) for a in axes]
    return _complete(letters or [UNKNOWN] * len(shape), shape)


def _complete(
    letters: list[str], shape: tuple[int, ...]
) -> tuple[str, tuple[str, ...]]:
    known = [a for a in letters if a != UNKNOWN]
    if len(letters) != len(shape) or len(set(known)) < len(known):
        letters = [UNKNOWN] * len(shape)
    if UNKNOWN not in letters and {"Y", "X"} <= set(letters):
        return "".join(letters), ()
    axes, _ = guess_axes(shape, "".join(letters))
    notes = () if axes == "YX" else (guess_note(shape, axes),)
    return axes, notes


def _letter(axis: Mapping[str, Any]) -> str:
    """Return an axis' letter: by its type, else the first letter of its name."""
    letter = _TYPES.get(str(axis.get("type"))) or str(axis.get("name") or UNKNOWN)[0]
    return letter.upper() if letter.isalpha() and letter.isascii() else UNKNOWN


def _pixel_size(
    multiscale: Mapping[str, Any], dataset: Mapping[str, Any], axes: str
) -> dict[str, float]:
    scale = [1.0] * len(axes)
    units = [
        a.get("unit") if isinstance(a, Mapping) else None
        for a in multiscale.get("axes", [])
    ]
    for holder in (dataset, multiscale):
        for transformation in holder.get("coordinateTransformations", []):
            factors = transformation.get("scale", scale)
            if transformation.get("type") == "scale" and len(factors) == len(scale):
                scale = [a * float(b) for a, b in zip(scale, factors, strict=True)]
    sizes = {
        axis: micrometres(length, str(unit))
        for axis, length, unit in zip(axes, scale, units, strict=False)
        if axis in "ZYX"
    }
    return {axis: size for axis, size in sizes.items() if size is not None}
