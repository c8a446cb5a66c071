"""Slices that lie above each other, whose objects go through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plane = dict[str, int]


def volumes(planes: Iterable[Mapping[str, int]]) -> list[list[Plane]]:
    """Group planes that follow each other along Z and differ by nothing else.

    Parameters
    ----------
    planes : iterable of mapping of str to int
        Their positions along the axes of a stack.

    Returns
    -------
    list of list of dict
        Volumes; a plane without a Z, or without one beside it, stands alone.
    """
    columns: dict[tuple[tuple[str, int], ...], list[Plane]] = {}
    for plane in planes:
        place = tuple((a, i) for a, i in plane.items() if a != "Z")
        columns.setdefault(place, []).append(dict(plane))
    found: list[list[Plane]] = []
    for column in columns.values():
        for plane in column:
            if found and found[-1][-1] == _below(plane):
                found[-1].append(plane)
            else:
                found.append([plane])
    return found


def _below(plane: Plane) -> Plane | None:
    return {**plane, "Z": plane["Z"] - 1} if "Z" in plane else None
