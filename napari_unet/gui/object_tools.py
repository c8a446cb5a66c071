"""Merge, split, classify and delete objects with the mouse, and draw rectangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet.gui.around import around
from napari_unet.gui.drawing import Drawing
from napari_unet.gui.screen import FLAT_FIRST, is_flat
from napari_unet.gui.turning import Turning
from napari_unet.images import Region
from napari_unet.instances.edit import (
    GAP,
    delete,
    line_pixels,
    merge,
    rename,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.annotated import AnnotatedImage

_FIRST = {
    "merge": "Click the first of the two objects.",
    "split": "Draw a line across an object.",
    "delete": "Click an object to delete it.",
    "class": "Choose a class in the list, and click the objects that are of it.",
    "rectangle": "Draw a rectangle around objects that are all right.",
}

_SECOND = "Now click the object that belongs to {}."

# Tools with which something is drawn and not clicked.
_LINES = ("split", "rectangle")


class ObjectTools(QObject):
    """What a click or a line on the layer of objects does.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer is.
    panel : QWidget
        This goes when it goes.

    Attributes
    ----------
    tool : str
        ``"merge"``, ``"split"``, ``"delete"``, ``"class"``, ``"rectangle"``, or ``""``
        for napari's own tools. napari's undo brings back what they change.
    said : Signal
        What has happened and what to do next.
    tool_changed : Signal
        Another tool is in use.
    drawn : Signal
        The Region that was drawn with the rectangle.
    """

    said = Signal(str)
    tool_changed = Signal()
    drawn = Signal(object)

    def __init__(self, viewer: Viewer, panel: QWidget) -> None:
        super().__init__(panel)
        self._viewer = viewer
        self._turning = Turning(viewer, panel)
        self._turning.away.connect(self.stop)
        self.tool = ""
        self._image: AnnotatedImage | None = None
        self._layer: Labels | None = None
        self._drawing: Drawing | None = None
        self._first = 0

    def use(self, tool: str, image: AnnotatedImage) -> None:
        """Use a tool on the objects of an image until another one is chosen.

        That is another tool, ours or napari's, or another layer.
        """
        self.stop()
        self._image, self._layer = image, image.show_objects()
        self._layer.mode = "pan_zoom"
        # A line must not move the picture.
        self._layer.mouse_pan = tool not in _LINES
        if tool in _LINES:
            self._drawing = Drawing(self._viewer, image)
        self._layer.mouse_drag_callbacks.append(self._press)
        self._layer.events.mode.connect(self.stop)
        self._turning.layer = self._layer
        self.tool, self._first = tool, 0
        self.tool_changed.emit()
        self.said.emit(_FIRST[tool])

    def stop(self, event: Any = None) -> None:
        """Go back to napari's own tools."""
        layer = self._layer
        if layer is None:
            return
        self._layer = self._turning.layer = None
        layer.events.mode.disconnect(self.stop)
        layer.mouse_drag_callbacks.remove(self._press)
        layer.mouse_pan = layer.mode == "pan_zoom"
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None
        self.tool = ""
        self.tool_changed.emit()
        self.said.emit("")

    def _press(self, layer: Labels, event: Any) -> Iterator[None]:
        """Follow the mouse from press to release."""
        if event.button != 1 or event.modifiers:
            return
        assert self._image is not None
        if not is_flat(self._viewer, self._image.target):
            self.said.emit(FLAT_FIRST)
            return
        path = [self._at(layer, event)]
        yield
        while event.type == "mouse_move":
            path.append(self._at(layer, event))
            if self._drawing is not None:
                box = self.tool == "rectangle"
                self._drawing.show(_around(path) if box else path)
            yield
        if self._drawing is not None:
            self._drawing.show([])
        if self._layer is not layer:
            return
        if self.tool == "split":
            self._split(layer, path)
        elif self.tool == "rectangle":
            self._take_rectangle(path)
        elif len(path) < 2 or np.ptp(path, axis=0).max() < 2:
            # Anything longer than a click has moved the picture.
            self._click(layer, path[0])

    def _click(self, layer: Labels, at: tuple[float, float]) -> None:
        assert self._image is not None
        plane = self._image.objects_shown()
        y, x = np.rint(at).astype(int)
        inside = 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]
        index = int(plane[y, x]) if inside else 0
        if index == 0:
            then = _SECOND.format(self._first) if self._first else _FIRST[self.tool]
            self.said.emit(f"There is no object. {then}")
        elif self.tool == "delete":
            self._edit(layer, [index], lambda objects: delete(objects, index))
            self.said.emit(f"Deleted {index}{self._here()}. {_FIRST['delete']}")
        elif self.tool == "class":
            self._classify(layer, index)
        elif self._first in (0, index):
            self._first = index
            self.said.emit(_SECOND.format(index))
        else:
            first = self._first
            self._edit(
                layer, [first, index], lambda objects: merge(objects, first, index)
            )
            self.said.emit(
                f"Merged {index} into {first}{self._here()}. {_FIRST['merge']}"
            )
            self._first = 0

    def _here(self) -> str:
        """Return where an object is changed that may be in other slices, too."""
        assert self._image is not None
        return " in this slice" if "Z" in self._image.target.image.stack_axes else ""

    def _classify(self, layer: Labels, index: int) -> None:
        """Make an object one of the chosen class, by a new id so that undo works."""
        assert self._image is not None
        name = self._image.new_object_name
        if name is None:
            self.said.emit(_FIRST["class"])
            return
        chosen = self._image.new_object_class
        if self._image.annotation.object_classes.get(index, 1) == chosen:
            self.said.emit(f"{index} is '{name}' already. {_FIRST['class']}")
            return
        new = self._image.free_id()
        self._image.new_ids({new: chosen})
        self._edit(layer, [index], lambda objects: rename(objects, index, new))
        self.said.emit(f"{index} is '{name}' now, with the number {new}.")

    def _split(self, layer: Labels, path: list[tuple[float, float]]) -> None:
        assert self._image is not None
        classes = self._image.annotation.object_classes
        plane = self._image.objects_shown()
        line = line_pixels(path)
        line = line[((line >= 0) & (line < plane.shape)).all(axis=1)]
        crossed = [i for i in np.unique(plane[tuple(line.T)]).tolist() if i]
        box = around(plane, crossed, GAP)
        inside = [(y - box[0].start, x - box[1].start) for y, x in path]
        new, origin = split(plane[box], inside, self._image.free_id())
        if not origin:
            self.said.emit("The line crosses no object from edge to edge.")
            return
        self._image.new_ids({i: classes.get(old, 1) for i, old in origin.items()})
        self._write(layer, box, new)
        self.said.emit(f"Split into {len(origin) + len(set(origin.values()))} objects.")

    def _take_rectangle(self, path: list[tuple[float, float]]) -> None:
        assert self._image is not None
        height, width = self._image.objects_shown().shape
        (y0, x0), _, (y1, x1), *_ = np.rint(_around(path)).astype(int).tolist()
        y0, x0, y1, x1 = max(y0, 0), max(x0, 0), min(y1 + 1, height), min(x1 + 1, width)
        if y1 - y0 < 2 or x1 - x0 < 2:
            self.said.emit(_FIRST["rectangle"])
            return
        region = Region(y0, x0, y1, x1, self._image.plane_shown())
        self.stop()
        self.drawn.emit(region)

    def _edit(
        self,
        layer: Labels,
        ids: list[int],
        change: Callable[[NDArray[Any]], NDArray[Any]],
    ) -> None:
        """Change objects of the plane on screen, where they are."""
        assert self._image is not None
        plane = self._image.objects_shown()
        box = around(plane, ids, GAP)
        self._write(layer, box, change(plane[box]))

    def _write(
        self, layer: Labels, box: tuple[slice, slice], new: NDArray[Any]
    ) -> None:
        """Write what is new in the plane on screen, so that undo brings it back."""
        assert self._image is not None
        y, x = np.nonzero(new != self._image.objects_shown()[box])
        rows, columns = y + box[0].start, x + box[1].start
        at = self._image.target.position(self._image.plane_shown(), rows, columns)
        indices = tuple(np.broadcast_to(i, y.shape) for i in at)
        layer.data_setitem(indices, new[y, x])

    def _at(self, layer: Labels, event: Any) -> tuple[float, float]:
        assert self._image is not None
        return self._image.target.point(layer.world_to_data(event.position))


def _around(path: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the rectangle from the first to the last point."""
    (ya, xa), (yb, xb) = path[0], path[-1]
    (y0, y1), (x0, x1) = sorted((ya, yb)), sorted((xa, xb))
    return [(y0, x0), (y0, x1), (y1, x1), (y1, x0), (y0, x0)]
