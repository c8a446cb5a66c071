"""Annotations on disk: a folder for each image, its file replaced whole or never."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.annotation.archive import Saved, read, read_header, write
from napari_unet.errors import AnnotationError
from napari_unet.images.whole import link_or_copy, replacing, sync_folder
from napari_unet.resources import data_folder

if TYPE_CHECKING:
    from napari_unet.annotation.annotation import Annotation
    from napari_unet.annotation.classes import ClassScheme

FILE = "annotation.npz"

# A file that was being written so many seconds ago is left over from a process that
# died.
LEFT_OVER = 3600.0


class AnnotationStore:
    """Where annotations are kept between sessions.

    A file that this store has neither written nor loaded is never overwritten: one
    that is damaged or newer, that another window saved, or that the user chose not to
    go on with is kept beside the new one, under the time when it was saved. Of an
    annotation that another window goes on saving it is the newest that is kept.

    Parameters
    ----------
    folder : Path, optional
        Of all annotations; by default in the user's data directory.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder or data_folder() / "annotations")
        self._mine: dict[str, tuple[int, int, int]] = {}
        self._aside: dict[str, Path] = {}

    def path(self, key: str) -> Path:
        """Return where the annotation of an image is saved; see `image_key`."""
        return self.folder / key / FILE

    def find(self, key: str) -> Saved | None:
        """Return what is saved for an image, or None.

        Raises
        ------
        AnnotationError
            If the file cannot be read, is damaged, or a newer version wrote it.
        """
        path = self.path(key)
        return read_header(path) if path.exists() else None

    def saved_times(self, beginning: str) -> dict[str, float]:
        """Return when something was saved under keys with this beginning.

        In seconds since 1970; the one that was saved last is the first.
        """
        paths = self.folder.glob(f"{beginning}*/{FILE}")
        times = {path.parent.name: path.stat().st_mtime for path in paths}
        newest = sorted(times, key=lambda key: times[key], reverse=True)
        return {key: times[key] for key in newest}

    def load(self, key: str) -> tuple[Annotation, ClassScheme]:
        """Return the annotation of an image and its classes.

        Raises
        ------
        AnnotationError
            If there is none, it cannot be read, is damaged, or a newer version
            wrote it.
        """
        path = self.path(key)
        if not path.exists():
            raise AnnotationError(
                f"No labels are saved in '{path.parent}'. Start with new ones."
            )
        file = _identity(path)
        loaded = read(path)
        self._mine[key] = file
        return loaded

    def save(
        self, key: str, annotation: Annotation, scheme: ClassScheme, name: str = ""
    ) -> None:
        """Save an annotation: whole, on the disk, and in place of its last version.

        Parameters
        ----------
        key : str
            Of the image.
        annotation : Annotation
            A snapshot, if somebody may paint meanwhile.
        scheme : ClassScheme
            Its classes.
        name : str
            Of the image, for people.

        Raises
        ------
        AnnotationError
            If it cannot be written. What was saved before is still there.
        """
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _clear_left_over(path.parent)
            with replacing(path) as new:
                with open(new, "wb") as file:
                    write(file, annotation, scheme, name)
                    file.flush()
                    os.fsync(file.fileno())
                written = _identity(new)
                if path.exists() and _identity(path) != self._mine.get(key):
                    self._keep_aside(path)
            self._mine[key] = written
            sync_folder(path.parent)
        except OSError as error:
            raise AnnotationError(
                f"The labels cannot be saved in '{path.parent}': "
                f"{error.strerror or error}. Free some space on that disk, or check "
                "its permissions."
            ) from error

    def _keep_aside(self, path: Path) -> None:
        """Keep a file that is about to be replaced, in place of its older versions."""
        aside = _second_name(path)
        try:
            lineage = read_header(path).lineage
        except AnnotationError:
            return
        if lineage:
            older = self._aside.get(lineage)
            self._aside[lineage] = aside
            if older is not None:
                with suppress(OSError):
                    older.unlink()


def _identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _second_name(path: Path) -> Path:
    """Give a file a second name, so that it outlives being replaced; return it."""
    at = datetime.fromtimestamp(path.stat().st_mtime)
    stem = f"{path.stem}-{at:%Y%m%d-%H%M%S-%f}"
    aside = path.with_name(f"{stem}{path.suffix}")
    if aside.exists():
        aside = path.with_name(f"{stem}-{time.time_ns()}{path.suffix}")
    link_or_copy(path, aside)
    return aside


def _clear_left_over(folder: Path) -> None:
    for file in folder.glob(f".{FILE}.*.unfinished"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > LEFT_OVER:
                file.unlink()
