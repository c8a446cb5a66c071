"""The label layers that show what was predicted of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.gui.image.target import MARK, OPACITY, forget_history
from napari_unet.gui.parts.colours import only

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import DTypeLike, NDArray

    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.image.target import Target
    from napari_unet.gui.predict.exchange import PlaneLabels
    from napari_unet.images import Region

# With several kinds of object the colours of the classes tell more, and those of the
# objects are the tint.
_SEVERAL_CLASSES = {"semantic": 0.6, "instances": 0.25}


class Results:
    """The layers ``<image> semantic`` and ``<image> instances`` of one image.

    They are made when first written to, written in place after that, and made again
    when the user removed them. A layer that the user painted on becomes the user's:
    it is left alone, and the next prediction gets a layer of its own.
    """

    def __init__(self) -> None:
        self._layers: dict[str, Labels] = {}
        self._latest: dict[str, Labels] = {}
        self._undrawn: set[str] = set()
        self.classes: ClassScheme | None = None

    @property
    def layers(self) -> list[Labels]:
        """The last ones, also those that the user has painted on."""
        return list(self._latest.values())

    def write(
        self,
        viewer: Viewer,
        target: Target,
        labels: PlaneLabels,
        classes: ClassScheme,
    ) -> None:
        """Write one plane into the layers, on the main thread; `draw` shows it.

        Parameters
        ----------
        viewer : napari.viewer.Viewer
            Where the image is.
        target : Target
            The image and its layer.
        labels : PlaneLabels
            What to write, and where. The layers may take its arrays for their own.
        classes : ClassScheme
            Names and colours of the classes.
        """
        self.classes = classes
        layer = self._write_plane(
            viewer, target, "semantic", labels.plane, labels.semantic
        )
        _colour(layer, classes)
        objects = labels.instances
        if objects is None and self._there(viewer, target, "instances"):
            # Where none were looked for, those of an earlier prediction go.
            objects = np.zeros(labels.semantic.shape, np.uint16)
        if objects is not None:
            self._write_plane(viewer, target, "instances", labels.plane, objects)
        self._weigh(classes)

    def draw(self) -> None:
        """Show what has been written since the last time."""
        for role, layer in self._layers.items():
            if role in self._undrawn:
                layer.refresh(extent=False)
        self._undrawn.clear()

    def prepare(
        self, viewer: Viewer, target: Target, classes: ClassScheme, *, instances: bool
    ) -> bool:
        """Make one of the layers for `show_region`; say whether one was missing."""
        if self._there(viewer, target, "semantic") is None:
            _colour(self._writable(viewer, target, "semantic", np.uint8), classes)
        elif instances and self._there(viewer, target, "instances") is None:
            self._writable(viewer, target, "instances", np.uint16)
        else:
            return False
        return True

    def show_region(
        self,
        viewer: Viewer,
        target: Target,
        region: Region,
        semantic: NDArray[np.uint8],
        instances: NDArray[np.uint32] | None,
        classes: ClassScheme,
    ) -> None:
        """Write a region, ``(Y, X)`` each, into the layers and show it; see `write`."""
        self.classes = classes
        layer = self._writable(viewer, target, "semantic", semantic.dtype)
        _colour(layer, classes)
        target.write_region(layer, region, semantic)
        if instances is not None or self._there(viewer, target, "instances"):
            if instances is None:
                instances = np.zeros(region.shape, np.uint32)
            objects = narrow(instances)
            layer = self._writable(viewer, target, "instances", objects.dtype)
            target.write_region(layer, region, objects)
        self._weigh(classes)

    def show_checkpoint(
        self,
        viewer: Viewer,
        target: Target,
        region: Region,
        semantic: NDArray[np.uint8],
        classes: ClassScheme,
    ) -> None:
        """Write a region of an earlier model into a layer ``<image> checkpoint``."""
        layer = self._writable(viewer, target, "checkpoint", semantic.dtype)
        _colour(layer, classes)
        target.stack(layer)[...] = 0
        target.write_region(layer, region, semantic)

    @property
    def checkpoint(self) -> Labels | None:
        """The layer that `show_checkpoint` writes into, also if it was removed."""
        return self._layers.get("checkpoint")

    def objects(
        self, viewer: Viewer, target: Target, region: Region
    ) -> NDArray[np.unsignedinteger] | None:
        """Return the objects on the plane of a region, as a view ``(Y, X)``.

        They are uint16 or, beyond 65,535 of them, uint32.
        """
        layer = self._there(viewer, target, "instances")
        return None if layer is None else target.plane(layer, region)

    def latest(self, viewer: Viewer, target: Target, role: str) -> Labels | None:
        """Return the layer of the last prediction, also one the user has painted on."""
        layer = self._latest.get(role)
        there = layer is not None and layer in viewer.layers and target.fits(layer)
        return layer if there else None

    def _write_plane(
        self,
        viewer: Viewer,
        target: Target,
        role: str,
        plane: Mapping[str, int],
        values: NDArray[Any],
    ) -> Labels:
        """Write `values` ``(Y, X)`` into a layer, made with them if need be."""
        if self._there(viewer, target, role) is None:
            # napari draws all of a layer that is added: once is enough.
            data = target.filled(plane, values)
            return self._keep(role, target.add_layer(viewer, role, data))
        layer = self._writable(viewer, target, role, values.dtype)
        target.put(layer.data, plane, values)
        self._undrawn.add(role)
        return layer

    def _writable(
        self, viewer: Viewer, target: Target, role: str, dtype: DTypeLike
    ) -> Labels:
        """Return a layer, made if need be, that holds values of a type."""
        layer = self._there(viewer, target, role)
        if layer is None:
            return self._keep(role, target.new_layer(viewer, role, dtype))
        if not np.can_cast(dtype, layer.data.dtype):
            wider = target.blank(dtype)
            wider[...] = layer.data
            layer.data = wider
            forget_history(layer)
        return layer

    def _there(self, viewer: Viewer, target: Target, role: str) -> Labels | None:
        layer = self._layers.get(role)
        there = layer is not None and layer in viewer.layers and target.fits(layer)
        return layer if there else None

    def _weigh(self, classes: ClassScheme) -> None:
        """Let the objects stand out, or with several kinds of them the classes.

        What the user has set since is kept while the one or the other holds.
        """
        several = len(classes) > 2
        for role in _SEVERAL_CLASSES:
            layer = self._layers.get(role)
            if layer is None or layer.metadata[MARK].get("several", False) == several:
                continue
            layer.opacity = (_SEVERAL_CLASSES if several else OPACITY)[role]
            layer.metadata[MARK]["several"] = several

    def _keep(self, role: str, layer: Labels) -> Labels:
        """Write into a new layer from now on."""
        self._layers[role] = self._latest[role] = layer
        layer.events.paint.connect(self._give_up)
        return layer

    def _give_up(self, event: Any) -> None:
        """Leave a layer that was painted on to the user."""
        layer = event.source
        layer.events.paint.disconnect(self._give_up)
        layer.metadata.pop(MARK, None)
        self._layers = {
            r: kept for r, kept in self._layers.items() if kept is not layer
        }


def narrow(ids: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Return a copy of the ids of objects in 16 bits, or in 32 if they are too high.

    napari draws the former as they are, the latter it colours pixel by pixel.
    """
    fits = ids.max(initial=0) <= np.iinfo(np.uint16).max
    return ids.astype(np.uint16 if fits else np.uint32)


def _colour(layer: Labels, classes: ClassScheme) -> None:
    """Show the labels of a layer in the colours of the classes."""
    # Colours that are set again are drawn again, which takes a while.
    if layer.metadata[MARK].get("classes") != classes:
        listed = enumerate(classes.classes[1:], start=1)
        layer.colormap = only({value: c.colour for value, c in listed})
        layer.metadata[MARK]["classes"] = classes
