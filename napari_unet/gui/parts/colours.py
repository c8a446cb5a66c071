"""Colours of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def only(colours: Mapping[int, str]) -> Any:
    """Return a colormap for a label layer in which only these labels are seen.

    Parameters
    ----------
    colours : mapping of int to str
        The colour, ``#rrggbb`` or a name, of each label.
    """
    from napari.utils.colormaps import DirectLabelColormap

    every: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    every.update(colours.items())
    return DirectLabelColormap(color_dict=every)
