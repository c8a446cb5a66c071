"""Label layers that lie exactly over an image, also when it is moved or renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer
    from napari.layers import Labels

# What napari puts a layer in its place with.
_WHERE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


def place(image: ImageLayer, ndim: int) -> dict[str, Any]:
    """Return the arguments for a layer over the last `ndim` axes of an image."""
    return {name: _of(image, name, ndim) for name in _WHERE}


def keep_over(image: ImageLayer, labels: Labels) -> None:
    """Let a label layer follow its image for as long as there are both."""
    there, ndim, called = ref(labels), image.ndim, image.name

    def follow(event: Any) -> None:
        nonlocal called
        layer = there()
        if layer is None:
            for name in (*_WHERE, "name"):
                getattr(image.events, name).disconnect(follow)
        elif event.type == "name":
            _carry_name(layer, called, image.name)
            called = image.name
        elif image.ndim == ndim:
            lay_over(image, layer, (event.type,))

    for name in (*_WHERE, "name"):
        getattr(image.events, name).connect(follow)


def move_over(image: ImageLayer, labels: Labels, before: str) -> None:
    """Lay a label layer over another image than that called `before`, and follow it."""
    lay_over(image, labels)
    _carry_name(labels, before, image.name)
    keep_over(image, labels)


def lay_over(
    image: ImageLayer, labels: Labels, names: tuple[str, ...] = _WHERE
) -> None:
    """Put a label layer where its image is."""
    for name in names:
        value = _of(image, name, labels.ndim)
        # napari draws a layer anew that is put where it was.
        if not np.array_equal(value, _of(labels, name, labels.ndim)):
            setattr(labels, name, value)


def _carry_name(labels: Labels, before: str, after: str) -> None:
    """Call a layer by its image's new name, unless the user gave it one of its own."""
    if labels.name.startswith(f"{before} "):
        labels.name = after + labels.name.removeprefix(before)


def _of(layer: ImageLayer | Labels, name: str, ndim: int) -> Any:
    skip = layer.ndim - ndim
    value = getattr(layer, name)
    if name == "affine":
        return value.affine_matrix[skip:, skip:]
    if name == "rotate":
        return value[skip:, skip:]
    # Of a shear there is a number for each pair of axes, those of the first ones first.
    return value[skip * (layer.ndim - 1) if name == "shear" else skip :]
