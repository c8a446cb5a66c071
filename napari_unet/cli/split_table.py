"""A table that says which images are learnt from and which are held out."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING
from unicodedata import normalize

from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path


def read_split(path: Path) -> dict[str, int]:
    """Read which images to learn from and which to hold out.

    Parameters
    ----------
    path : Path
        A table of comma-separated values with the columns ``id``, an image's name
        without its ending, and ``split``: "train", "val", or anything else to leave
        the image out.

    Returns
    -------
    dict of str to int
        `annotation.TRAINING` or `annotation.HELD_OUT` by the image's name.

    Raises
    ------
    TrainingError
        If it is no such table.
    """
    try:
        # Spreadsheets put a mark before the first letter.
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            # Without rows nothing else would miss the columns.
            if not {"id", "split"} <= set(table.fieldnames or ()):
                raise KeyError("id, split")
            rows = [
                ((row["id"] or "").strip(), (row["split"] or "").strip().lower())
                for row in table
            ]
    except OSError as error:
        raise TrainingError(
            f"The table '{path}' cannot be read: {error.strerror}. Give the path of a "
            "CSV file."
        ) from error
    except (KeyError, csv.Error, UnicodeDecodeError) as error:
        raise TrainingError(
            f"'{path}' is no table of images with the columns 'id' and 'split'. Write "
            "one as CSV, with train or val in each row."
        ) from error
    parts = {"train": TRAINING, "val": HELD_OUT}
    # As `by_stem` writes the names.
    return {normalize("NFC", stem): parts[s] for stem, s in rows if s in parts}
