"""An annotation as one file: a zip of ``annotation.json`` and blocks as ``.npy``.

The layout is that of numpy's ``.npz``, so numpy reads it too, and nothing in it is
pickled. Every member has a checksum.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_unet.annotation.annotation import LAYERS, Annotation
from napari_unet.annotation.classes import ClassScheme, LabelClass
from napari_unet.errors import AnnotationError, UnetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SCHEMA_VERSION = 1
HEADER = "annotation.json"
# What versions of this format have written into the header.
ENTRIES = {
    *("schema_version", "name", "lineage", "saved_at", "shape", "axes", "channels"),
    *("classes", "counts", "object_classes", "members"),
}

# What reading a file with anything in it can raise.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    UnetError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class _Newer(AnnotationError):
    pass


@dataclass(frozen=True)
class Saved:
    """What is known of a saved annotation without loading it.

    Attributes
    ----------
    name : str
        Of the image.
    saved_at : datetime
        When, with its time zone.
    scheme : ClassScheme
        The classes.
    counts : tuple of int
        Labelled pixels of each class.
    shape : tuple of int
        Of the labels, ``(..., Y, X)``.
    lineage : str
        Of the annotation that was saved; empty where it is not known.
    """

    name: str
    saved_at: datetime
    scheme: ClassScheme
    counts: tuple[int, ...]
    shape: tuple[int, ...]
    lineage: str = ""


def write(
    file: IO[bytes], annotation: Annotation, scheme: ClassScheme, name: str
) -> None:
    """Write an annotation that no other thread changes meanwhile.

    Parameters
    ----------
    file : binary file
        Open for writing.
    annotation : Annotation
        What is written.
    scheme : ClassScheme
        Its classes.
    name : str
        Of the image, for people.
    """
    header = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "lineage": annotation.lineage,
        "saved_at": datetime.now(UTC).isoformat(),
        "shape": annotation.shape,
        "axes": annotation.axes,
        "channels": annotation.channels,
        "classes": [asdict(c) for c in scheme.classes],
        "counts": annotation.counts(len(scheme)).tolist(),
        "object_classes": {str(i): c for i, c in annotation.object_classes.items()},
        # A damaged table of contents may leave members out.
        "members": [name for name, _ in _members(annotation)],
    }
    with zipfile.ZipFile(
        file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=1
    ) as archive:
        archive.writestr(HEADER, json.dumps(header, indent=2) + "\n")
        for member, block in _members(annotation):
            with archive.open(member, "w") as target:
                np.lib.format.write_array(target, block, allow_pickle=False)


def _members(annotation: Annotation) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the name and the pixels of each block."""
    for layer in LAYERS:
        blocks = getattr(annotation, layer)
        for key in blocks.keys():
            yield f"{layer}/{'.'.join(map(str, key))}.npy", blocks.block(key)


def read_header(path: Path) -> Saved:
    """Return what is known of the annotation in `path`.

    Raises
    ------
    AnnotationError
        If the file is damaged or a newer version wrote it.
    """
    with _opened(path) as (_, header):
        return _saved(header)


def read(path: Path) -> tuple[Annotation, ClassScheme]:
    """Return the annotation in `path` and its classes.

    Raises
    ------
    AnnotationError
        If the file is damaged or a newer version wrote it.
    """
    with _opened(path) as (archive, header):
        annotation = Annotation(tuple(map(int, header["shape"])), header["axes"])
        there = [name for name in archive.namelist() if name != HEADER]
        if sorted(there) != sorted(header.get("members", there)):
            raise ValueError("a block is missing, or one too many is there")
        for member in there:
            _read_block(annotation, member, archive)
        # Files of before these were kept have none.
        annotation.channels = tuple(int(c) for c in header.get("channels", ()))
        classes = header["object_classes"]
        annotation.set_object_classes({int(i): int(c) for i, c in classes.items()})
        return annotation, _saved(header).scheme


def _read_block(annotation: Annotation, member: str, archive: zipfile.ZipFile) -> None:
    layer, _, rest = member.partition("/")
    key = tuple(int(i) for i in rest.removesuffix(".npy").split("."))
    # Reading all of a member compares its checksum before numpy looks at it.
    block = np.load(BytesIO(archive.read(member)), allow_pickle=False)
    blocks = getattr(annotation, layer)
    region = blocks.region(key)
    if block.dtype != blocks.dtype or block.shape != region.shape:
        raise ValueError(f"'{member}' does not fit the image")
    if layer == "scribbles":
        annotation.write_scribbles(region, block)
    elif layer == "objects":
        annotation.write_objects(region, block)
    elif layer == "verified":
        annotation.verify(region, block)
    else:
        annotation.assign(region, block)


def _saved(header: dict[str, Any]) -> Saved:
    return Saved(
        str(header["name"]),
        datetime.fromisoformat(header["saved_at"]),
        ClassScheme(tuple(LabelClass(**c) for c in header["classes"])),
        tuple(int(n) for n in header["counts"]),
        tuple(int(n) for n in header["shape"]),
        str(header.get("lineage", "")),
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """Open an archive; say what is wrong with it if anything is."""
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(archive.read(HEADER))
            if news := _news(header, archive.namelist()):
                raise _Newer(
                    f"The labels in '{path}' were saved by a newer napari-unet "
                    f"({news}). Update napari-unet-annotator to go on with them. The "
                    "file stays as it is, also if you start anew."
                )
            yield archive, header
    except _Newer:
        raise
    except OSError as error:
        raise AnnotationError(
            f"The labels in '{path}' cannot be read: {error.strerror or error}. Check "
            "the disk and the permissions."
        ) from error
    except _DAMAGE as error:
        raise AnnotationError(
            f"The labels in '{path}' are damaged. The file stays as it is, also if you "
            "start anew; restore it from a backup if you have one."
        ) from error


def _news(header: dict[str, Any], members: list[str]) -> str:
    """Return what this version would not read, and lose when it saves; else nothing."""
    version = header["schema_version"]
    if version > SCHEMA_VERSION:
        return f"format {version}; this one reads up to {SCHEMA_VERSION}"
    layers = {name.partition("/")[0] for name in members} - {HEADER}
    unknown = (header.keys() - ENTRIES) | (layers - {*LAYERS})
    listed = ", ".join(f"'{name}'" for name in sorted(unknown))
    return f"this one does not know {listed}" if unknown else ""
