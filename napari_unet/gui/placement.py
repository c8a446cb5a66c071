"""Label layers that lie exactly over an image, also when it is moved."""

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
    there, ndim = ref(labels), image.ndim

    def follow(event: Any) -> None:
        layer = there()
        if layer is None:
            for name in _WHERE:
                getattr(image.events, name).disconnect(follow)
        elif image.ndim == ndim:
            lay_over(image, layer, (event.type,))

    for name in _WHERE:
        getattr(image.events, name).connect(follow)


def lay_over(
    image: ImageLayer, labels: Labels, names: tuple[str, ...] = _WHERE
) -> None:
    """Put a label layer where its image is."""
    for name in names:
        value = _of(image, name, labels.ndim)
        # napari draws a layer anew that is put where it was.
        if not np.array_equal(value, _of(labels, name, labels.ndim)):
            setattr(labels, name, value)


def _of(layer: ImageLayer | Labels, name: str, ndim: int) -> Any:
    skip = layer.ndim - ndim
    value = getattr(layer, name)
    if name == "affine":
        return value.affine_matrix[skip:, skip:]
    if name == "rotate":
        return value[skip:, skip:]
    # Of a shear there is a number for each pair of axes, those of the first ones first.
    return value[skip * (layer.ndim - 1) if name == "shear" else skip :]
