"""A napari image layer as the image that the core reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.errors import ImageError
from napari_unet.gui.image.file_axes import axes_in_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image as ImageLayer
    from napari.layers import Labels, Layer

    from napari_unet.images import Image

_AXIS_OF_LABEL = {
    **{"t": "T", "time": "T", "frame": "T"},
    **{"c": "C", "ch": "C", "channel": "C"},
    **{"z": "Z", "plane": "Z", "y": "Y", "row": "Y", "x": "X", "column": "X"},
}


def image_of(layer: ImageLayer, slider_labels: Sequence[str] = ()) -> Image:
    """Return the image that `layer` shows; its pixels are not read yet.

    Parameters
    ----------
    layer : napari.layers.Image
        Of a multiscale layer the largest scale is taken.
    slider_labels : sequence of str
        The labels of the viewer's axes, which a user can change with a double click
        beside a slider. They, or the layer's own, name the axes where they can, then
        the file does, whose names napari's reader drops.

    Raises
    ------
    ImageError
        If the layer is empty or its axes cannot be told.
    """
    from napari_unet.images import image_from_array
    from napari_unet.images.axes import UNKNOWN, guess_axes, guess_note

    data = pixels_of(layer)
    if not all(data.shape):
        raise ImageError(
            f"The image '{layer.name}' is empty: its shape is {tuple(data.shape)}. "
            "Choose another one under Image."
        )
    axes = _named_axes(layer.axis_labels, tuple(slider_labels)[-layer.ndim :])
    if layer.rgb:
        axes += "C"
    elif UNKNOWN in axes and layer.ndim > 2:
        axes = _completed(axes, axes_in_file(layer.source.path, tuple(data.shape)))
    if UNKNOWN not in axes or not set(axes) - {UNKNOWN, "C"}:
        named = None if UNKNOWN in axes else axes
        return image_from_array(data, axes=named, rgb=layer.rgb, name=layer.name)
    whole, _ = guess_axes(data.shape, axes)
    image = image_from_array(data, axes=whole, rgb=layer.rgb, name=layer.name)
    guessed = {now for was, now in zip(axes, whole, strict=True) if was == UNKNOWN}
    # Without a name, rows and columns are the last two.
    certain = guessed <= {"Y", "X"}
    return image if certain else replace(image, notes=(guess_note(data.shape, whole),))


def pixels_of(layer: ImageLayer | Labels) -> Any:
    """Return the array that `layer` shows, the largest one of a multiscale layer."""
    return layer.data[0] if layer.multiscale else layer.data


def lie_alike(one: ImageLayer, other: ImageLayer) -> bool:
    """Whether two layers have the same size and place."""
    same_size = pixels_of(one).shape == pixels_of(other).shape
    return same_size and np.allclose(one.extent.world, other.extent.world)


def layer_axes(layer: Layer, image: Image) -> str:
    """Return a letter for each axis of `layer`; the colours of RGB are no axis."""
    return image.axes[:-1] if getattr(layer, "rgb", False) else image.axes


def has_axes_of(layer: Layer, image: Image) -> bool:
    """Whether `layer` still has as many axes as `image`: a script may change that."""
    return layer.ndim == len(layer_axes(layer, image))


def plane_on_screen(
    layer: Layer, image: Image, point: Sequence[float]
) -> dict[str, int]:
    """Return the position on each stack axis of `image` that is shown at `point`.

    Parameters
    ----------
    layer : napari.layers.Layer
        The layer of the image.
    image : Image
        What `image_of` made of it.
    point : sequence of float
        ``viewer.dims.point``, in world coordinates.
    """
    shown = _on_screen(layer, image, point)
    return {axis: shown[axis] for axis in image.stack_axes}


def channel_on_screen(
    layer: Layer, image: Image, point: Sequence[float]
) -> tuple[int, ...]:
    """Return the channel that a slider shows at `point`, none if all are shown."""
    shown = _on_screen(layer, image, point)
    return (shown["C"],) if "C" in shown else ()


def _on_screen(layer: Layer, image: Image, point: Sequence[float]) -> dict[str, int]:
    """Return where on each axis of a layer the viewer is."""
    axes = layer_axes(layer, image)
    if not has_axes_of(layer, image):
        return dict.fromkeys(axes, 0)
    position = np.rint(layer.world_to_data(point)[-len(axes) :]).astype(int)
    return {
        axis: int(np.clip(at, 0, image.sizes[axis] - 1))
        for axis, at in zip(axes, position, strict=True)
    }


def _completed(axes: str, others: str | None) -> str:
    """Return axes with those that are unknown named as in `others`, if that goes."""
    named = [b if a == "?" else a for a, b in zip(axes, others or axes, strict=True)]
    return "".join(named) if len(set(named)) == len(named) else axes


def _named_axes(labels: Sequence[str], slider_labels: Sequence[str]) -> str:
    """Return a letter for each axis, ``?`` where neither label names it."""
    # While a layer is being added the viewer has still the axes from before.
    others = slider_labels if len(slider_labels) == len(labels) else labels
    letters = "".join(
        _AXIS_OF_LABEL.get(a.lower(), _AXIS_OF_LABEL.get(b.lower(), "?"))
        for a, b in zip(labels, others, strict=True)
    )
    known = letters.replace("?", "")
    return letters if len(set(known)) == len(known) else "?" * len(letters)
