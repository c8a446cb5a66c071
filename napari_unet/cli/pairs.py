"""Images and their labels, found by the same name in two folders."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

from napari_unet.cli.listing import visible
from napari_unet.cli.outputs import stem_of
from napari_unet.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path


def by_stem(folder: Path, option: str) -> dict[str, Path]:
    """Return the files of a folder by their names without endings, in order.

    Raises
    ------
    ImageError
        If there is no such folder, it may not be read, or two files have one name;
        `option` is what the user gave it with.
    """
    files: dict[str, Path] = {}
    for path in visible(folder, option):
        # File systems of Macs write letters with accents in two ways.
        stem = normalize("NFC", stem_of(path))
        if stem in files:
            raise ImageError(
                f"{option}: '{files[stem].name}' and '{path.name}' in '{folder}' have "
                "the same name. Move one of them elsewhere."
            )
        files[stem] = path
    return files


def pair_files(
    images: Path,
    images_option: str,
    labels: Path,
    labels_option: str,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, tuple[Path, Path]]:
    """Return the pairs of an image and its labels by name; tell of misspelt names.

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
    if note := unpaired(files, masks):
        tell(note)
    return pairs


def unpaired(images: Collection[str], labels: Collection[str]) -> str:
    """Return a line if both images and label files are left over; empty otherwise.

    One folder may well hold more than the other. Where each has something that the
    other has not, a name is likely to be misspelt.

    Parameters
    ----------
    images, labels : collection of str
        Names without endings.
    """
    alone = [sorted({*images} - {*labels}), sorted({*labels} - {*images})]
    if not all(alone):
        return ""
    (image, *_), (label, *_) = alone
    return (
        f"Left out: {len(alone[0])} without labels, such as '{image}', and "
        f"{len(alone[1])} without an image, such as '{label}'. Is a name misspelt?"
    )
