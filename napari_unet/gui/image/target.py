"""An image in the viewer, over which label layers are laid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.gui.image.placement import keep_over, place
from napari_unet.gui.image.source import layer_axes, pixels_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Image as ImageLayer
    from napari.layers import Labels, Layer
    from napari.viewer import Viewer
    from numpy.typing import DTypeLike, NDArray

    from napari_unet.images import Image, Region

# Marks a layer as ours in `layer.metadata`.
MARK = "napari_unet"

# Classes are a tint under the objects' colours.
OPACITY = {
    "semantic": 0.35,
    "instances": 0.6,
    "checkpoint": 0.6,
    "objects": 0.6,
    "scribbles": 0.8,
    "accepted": 0.9,
    "drawing": 0.9,
}

# Roles of what the user draws, which stays above what is predicted.
_DRAWN = ("scribbles", "objects", "accepted", "drawing")
_RESULTS = OPACITY.keys() - set(_DRAWN)

# napari draws so many pixels, of 16 bits or less, in the time that it takes to change
# one of them alone.
_PIXELS_A_CHANGE = 500


@dataclass(frozen=True)
class Target:
    """An image and its layer, over which label layers are laid."""

    layer: ImageLayer
    image: Image

    @property
    def _axes(self) -> str:
        """Those of the labels: where the layer's first is the channels', without it."""
        return layer_axes(self.layer, self.image).removeprefix("C")

    def fits(self, labels: Labels) -> bool:
        """Whether a label layer has the shape of the image."""
        return tuple(pixels_of(labels).shape) == self._shape

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(self.image.sizes[axis] for axis in self._axes)

    def stack(self, labels: Labels) -> NDArray[Any]:
        """Return the data of a label layer as a view in the order of the core.

        ``(..., Y, X)``: the image's stack axes, rows and columns, no channels.
        """
        return self.in_order(np.asarray(pixels_of(labels)))

    def in_order(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return what may be the data of a label layer as `stack` does."""
        index = tuple(0 if axis == "C" else slice(None) for axis in self._axes)
        kept = self._axes.replace("C", "")
        order = [kept.index(axis) for axis in f"{self.image.stack_axes}YX"]
        return data[index].transpose(order)

    def point(self, position: Sequence[float]) -> tuple[float, float]:
        """Return row and column of a position in a label layer's data."""
        at = tuple(position)[-len(self._axes) :]
        return at[self._axes.index("Y")], at[self._axes.index("X")]

    def position(self, plane: Mapping[str, int], y: Any, x: Any) -> tuple[Any, ...]:
        """Return rows `y` and columns `x` of a plane as a position in a label layer."""
        known = {**dict.fromkeys(self._axes, 0), **plane, "Y": y, "X": x}
        return tuple(known[axis] for axis in self._axes)

    def put(
        self, data: NDArray[Any], plane: Mapping[str, int], values: NDArray[Any]
    ) -> None:
        """Write `values` ``(Y, X)`` into the data of a label layer."""
        index = tuple(
            slice(None) if axis in "YX" else plane[axis] if axis in plane else 0
            for axis in self._axes
        )
        rows_first = self._axes.index("Y") < self._axes.index("X")
        data[index] = values if rows_first else values.T

    def plane(self, labels: Labels, region: Region) -> NDArray[Any]:
        """Return the plane of a region in a label layer, as a view ``(Y, X)``."""
        stack = self.stack(labels)
        for axis in self.image.stack_axes:
            stack = stack[region.plane[axis]]
        return stack

    def write_region(
        self, labels: Labels, region: Region, values: NDArray[Any]
    ) -> None:
        """Write `values` ``(Y, X)`` in place and show what is new of them.

        Undo does not bring back what was there, nor anything before.
        """
        part = self.plane(labels, region)[region.slices]
        new = part != values
        changed = np.count_nonzero(new)
        if not changed:
            return
        painting = labels.mode != "pan_zoom"
        whole = changed * _PIXELS_A_CHANGE > np.prod(self.image.plane_shape)
        if "C" in self._axes or painting or (whole and labels.data.itemsize <= 2):
            part[...] = values
            labels.refresh(extent=False, thumbnail=False)
        else:
            # Unlike a refresh, this draws no more than what is new.
            y, x = np.nonzero(new)
            at = self.position(region.plane, y + region.y0, x + region.x0)
            indices = tuple(np.broadcast_to(i, y.shape) for i in at)
            with labels.events.paint.blocker():
                labels.data_setitem(indices, values[y, x])
        if not painting:
            # A stroke that is under way has a history.
            forget_history(labels)

    def blank(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return zeros in the shape of the image, for a label layer."""
        # Where channels are not the first axis, one plane of labels stands for all
        # channels: its stride along that axis is zero.
        stored = [1 if axis == "C" else self.image.sizes[axis] for axis in self._axes]
        zeros = np.zeros(stored, dtype)
        strides = [
            0 if axis == "C" else stride
            for axis, stride in zip(self._axes, zeros.strides, strict=True)
        ]
        return np.lib.stride_tricks.as_strided(zeros, self._shape, strides)

    def filled(self, plane: Mapping[str, int], values: NDArray[Any]) -> NDArray[Any]:
        """Return data with `values` ``(Y, X)`` in a plane; if it is all, no copy."""
        if self._axes == "YX":
            return values
        data = self.blank(values.dtype)
        self.put(data, plane, values)
        return data

    def new_layer(self, viewer: Viewer, role: str, dtype: DTypeLike) -> Labels:
        """Add a label layer of zeros that lies exactly over the image."""
        return self.add_layer(viewer, role, self.blank(dtype))

    def add_layer(self, viewer: Viewer, role: str, data: NDArray[Any]) -> Labels:
        """Add a label layer of `data` that lies exactly over the image."""
        source = self.layer
        selected = set(viewer.layers.selection)
        layer = viewer.add_labels(
            data,
            name=f"{source.name} {role}",
            **place(source, data.ndim),
            opacity=OPACITY[role],
            metadata={MARK: {"role": role}},
        )
        keep_over(source, layer)
        if role not in _DRAWN:
            self._put_below_drawn(viewer, layer)
        # A result must not take the selection from what the user works on.
        viewer.layers.selection = selected or {source}
        return layer

    def lower(self, viewer: Viewer, place: int) -> None:
        """Move the image, with the results right above it, down to a place."""
        layers = viewer.layers
        at = layers.index(self.layer)
        end = at + 1
        while end < len(layers) and role_of(layers[end]) in _RESULTS:
            end += 1
        selected = set(layers.selection)
        layers.move_multiple(range(at, end), place)
        layers.selection = selected

    def _put_below_drawn(self, viewer: Viewer, labels: Labels) -> None:
        """Move a layer from the top to below what is drawn on the image."""
        layers = viewer.layers
        for above in layers[layers.index(self.layer) + 1 :]:
            if role_of(above) in _DRAWN:
                layers.move(layers.index(labels), layers.index(above))
                return


def role_of(layer: Layer) -> str | None:
    """Return what a layer of this plugin shows, a key of `OPACITY`."""
    role: str | None = layer.metadata.get(MARK, {}).get("role")
    return role


def forget_history(labels: Labels) -> None:
    """Let undo go back no further than now."""
    # Only a layer that cannot be edited drops its history.
    mode, editable = labels.mode, labels.editable
    labels.editable = False
    labels.editable = editable
    labels.mode = mode
