"""The mouse on the layer of objects: what a click or a line does, and what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_unet.gui.image.screen import FLAT_FIRST, is_flat
from napari_unet.gui.objects.drawing import Drawing
from napari_unet.gui.objects.object_edits import (
    classify_object,
    delete_object,
    merge_objects,
    object_at,
    split_objects,
)
from napari_unet.gui.parts.turning import Turning
from napari_unet.images import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Labels
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.annotate.annotated import AnnotatedImage

    # Rows and columns.
    Path = list[tuple[float, float]]

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
        self._image, self._layer = image, image.object_layer.show()
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
        image = self._image
        assert image is not None
        if not is_flat(self._viewer, image.target):
            self.said.emit(FLAT_FIRST)
            return
        path = [_at(image, layer, event)]
        yield
        while event.type == "mouse_move":
            path.append(_at(image, layer, event))
            if self._drawing is not None:
                box = self.tool == "rectangle"
                self._drawing.show(_corners(path) if box else path)
            yield
        if self._drawing is not None:
            self._drawing.show([])
        if self._layer is not layer:
            return
        if self.tool == "split":
            self._split(image, path)
        elif self.tool == "rectangle":
            self._take_rectangle(image, path)
        elif len(path) < 2 or np.ptp(path, axis=0).max() < 2:
            # Anything longer than a click has moved the picture.
            self._click(image, path[0])

    def _click(self, image: AnnotatedImage, at: tuple[float, float]) -> None:
        index = object_at(image, at)
        if index == 0:
            then = _SECOND.format(self._first) if self._first else _FIRST[self.tool]
            self.said.emit(f"There is no object. {then}")
        elif self.tool == "delete":
            delete_object(image, index)
            self.said.emit(f"Deleted {index}{_here(image)}. {_FIRST['delete']}")
        elif self.tool == "class":
            self._classify(image, index)
        elif self._first in (0, index):
            self._first = index
            self.said.emit(_SECOND.format(index))
        else:
            first, self._first = self._first, 0
            merge_objects(image, first, index)
            self.said.emit(
                f"Merged {index} into {first}{_here(image)}. {_FIRST['merge']}"
            )

    def _classify(self, image: AnnotatedImage, index: int) -> None:
        """Make an object one of the chosen class."""
        name, chosen = image.object_layer.new_class_name, image.object_layer.new_class
        if name is None:
            self.said.emit(_FIRST["class"])
        elif image.annotation.object_classes.get(index, 1) == chosen:
            self.said.emit(f"{index} is '{name}' already. {_FIRST['class']}")
        else:
            new = classify_object(image, index, chosen)
            self.said.emit(f"{index} is '{name}' now, with the number {new}.")

    def _split(self, image: AnnotatedImage, path: Path) -> None:
        if pieces := split_objects(image, path):
            self.said.emit(f"Split into {pieces} objects.")
        else:
            self.said.emit("The line crosses no object from edge to edge.")

    def _take_rectangle(self, image: AnnotatedImage, path: Path) -> None:
        height, width = image.annotation.shape[-2:]
        (y0, x0), _, (y1, x1), *_ = np.rint(_corners(path)).astype(int).tolist()
        y0, x0, y1, x1 = max(y0, 0), max(x0, 0), min(y1 + 1, height), min(x1 + 1, width)
        if y1 - y0 < 2 or x1 - x0 < 2:
            self.said.emit(_FIRST["rectangle"])
            return
        region = Region(y0, x0, y1, x1, image.plane_shown())
        self.stop()
        self.drawn.emit(region)


def _at(image: AnnotatedImage, layer: Labels, event: Any) -> tuple[float, float]:
    """Return the row and the column that the mouse is at."""
    return image.target.point(layer.world_to_data(event.position))


def _here(image: AnnotatedImage) -> str:
    """Return where an object is changed that may be in other slices, too."""
    return " in this slice" if "Z" in image.target.image.stack_axes else ""


def _corners(path: Path) -> Path:
    """Return the corners of the rectangle from the first to the last point."""
    (ya, xa), (yb, xb) = path[0], path[-1]
    (y0, y1), (x0, x1) = sorted((ya, yb)), sorted((xa, xb))
    return [(y0, x0), (y0, x1), (y1, x1), (y1, x0), (y0, x0)]
