"""Labels that were made with other classes."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_unet.annotation.annotation import Annotation
    from napari_unet.annotation.classes import ClassScheme


def join_schemes(
    ours: ClassScheme, theirs: ClassScheme
) -> tuple[ClassScheme, tuple[int, ...]]:
    """Add the classes of another scheme that this one lacks, by name.

    Returns
    -------
    ClassScheme
        Ours, and what was missing after it.
    tuple of int
        Where each class of theirs is in it; background stays background.
    """
    joined, where = ours, [0]
    for label in theirs.classes[1:]:
        names = [name.strip().lower() for name in joined.names]
        name = label.name.strip().lower()
        if name not in names[1:]:
            counted = (f"{label.name.strip()} {i}" for i in count(2))
            free = next(
                new
                for new in chain([label.name], counted)
                if new.strip().lower() not in names
            )
            used = {c.colour for c in joined.classes}
            joined = joined.add(free, None if label.colour in used else label.colour)
            where.append(len(joined) - 1)
        else:
            where.append(names.index(name, 1))
    return joined, tuple(where)


def map_classes(annotation: Annotation, where: Sequence[int]) -> None:
    """Give each class `c` of the labels the new index ``where[c]``.

    Parameters
    ----------
    annotation : Annotation
        What is changed.
    where : sequence of int
        Of every class that the labels hold; background, 0, stays 0.
    """
    if tuple(where) == tuple(range(len(where))):
        return
    # Of each scribble's value; a class is its value less one.
    new = np.arange(256)
    new[1 : len(where) + 1] = np.asarray(where) + 1
    for region in map(annotation.scribbles.region, annotation.scribbles.keys()):
        annotation.write_scribbles(region, new[annotation.scribbles.read(region)])
    old = annotation.object_classes
    annotation.set_object_classes(
        {i: where[old.get(i, 1)] for i in annotation.ids() | {*old}}
    )
