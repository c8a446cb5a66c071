"""Where the results of each image go, so that none overwrites another's or an image."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.errors import UnetError
from napari_unet.images.omezarr import is_zarr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


# How the files end that an image becomes.
RESULTS = SEMANTIC, INSTANCES = "_semantic.tif", "_instances.tif"


@dataclass(frozen=True)
class Job:
    """An image and the two files that are made from it."""

    image: Path
    semantic: Path
    instances: Path


def plan_outputs(
    images: Sequence[Path], out: Path
) -> tuple[list[Job], list[UnetError]]:
    """Decide which files in the folder `out` each image becomes.

    An image given twice is done once. Images whose results would take the same name,
    or the place of another image, are left out and said.
    """
    unique = {os.path.realpath(path): path for path in reversed(images)}
    jobs = [
        Job(path, out / f"{stem}{SEMANTIC}", out / f"{stem}{INSTANCES}")
        for path in reversed(unique.values())
        for stem in [stem_of(path)]
    ]
    # Case decides nothing: some file systems do not tell a.tif from A.tif.
    places = {path.casefold() for path in unique}
    taken = Counter(str(job.semantic).casefold() for job in jobs)
    good, refused = [], []
    for job in jobs:
        if taken[str(job.semantic).casefold()] > 1:
            refused.append(
                UnetError(
                    f"'{job.image}' is not predicted: another image would be written "
                    f"to '{job.semantic}' too. Give each its own --out folder, in two "
                    "calls."
                )
            )
        elif over := [
            p
            for p in (job.semantic, job.instances)
            if os.path.realpath(p).casefold() in places
        ]:
            refused.append(
                UnetError(
                    f"'{job.image}' is not predicted: its result would overwrite the "
                    f"image '{over[0]}'. Choose another --out folder."
                )
            )
        else:
            good.append(job)
    return good, refused


def stem_of(image: Path) -> str:
    """Return an image's name without its ending: ``a`` of ``a.ome.tif``.

    That of one inside a zarr folder says where: ``plate_A_1_0`` of
    ``plate.zarr/A/1/0``.
    """
    image = image.absolute()
    if is_zarr(image.parent):
        return f"{stem_of(image.parent)}_{image.name}"
    stem = image.stem
    return stem[:-4] if stem.lower().endswith(".ome") else stem
