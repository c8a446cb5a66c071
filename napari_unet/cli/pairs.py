"""Images and their labels, found by the same name in two folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.cli.outputs import stem_of
from napari_unet.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path


def by_stem(folder: Path, option: str) -> dict[str, Path]:
    """Return the files of a folder by their names without endings, in order.

    Raises
    ------
    ImageError
        If there is no such folder; `option` is what the user gave it with.
    """
    if not folder.is_dir():
        raise ImageError(
            f"{option}: there is no folder '{folder}'. Give the folder that holds the "
            "files."
        )
    return {
        stem_of(path): path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    }


def pair_files(
    images: Path, images_option: str, labels: Path, labels_option: str
) -> dict[str, tuple[Path, Path]]:
    """Return the pairs of an image and its labels by name.

    Raises
    ------
    ImageError
        If a folder is missing or no two files have one name.
    """
    files, masks = by_stem(images, images_option), by_stem(labels, labels_option)
    pairs = {stem: (files[stem], masks[stem]) for stem in files if stem in masks}
    if not pairs:
        raise ImageError(
            f"No image in '{images}' has the name of a file in '{labels}'. Name each "
            "mask like its image, e.g. a.png and a.tif."
        )
    return pairs
