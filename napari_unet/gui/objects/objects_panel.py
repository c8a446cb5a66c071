"""Correct objects and accept regions as ground truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet.errors import ImageError
from napari_unet.gui.image.screen import region_on_screen
from napari_unet.gui.objects.correction import Correction
from napari_unet.gui.objects.object_tools import ObjectTools
from napari_unet.gui.parts.forms import follow, hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer

    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.session import UnetSession
    from napari_unet.images import Region

_TOOLS = {
    "merge": "Click two objects to make one of them",
    "split": "Draw a line across an object to make two of it",
    "delete": "Click objects to delete them",
    "class": "Click objects to make them of the class that is chosen in the list",
}


class ObjectsPanel(QWidget):
    """The buttons to correct objects.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        The predictions and annotations.
    label : callable
        Given a function, calls it with the annotation of the chosen image, once there
        is one.

    Attributes
    ----------
    accepted : Signal
        The image and the region that was accepted.
    """

    accepted = Signal(object, object)

    def __init__(
        self,
        viewer: Viewer,
        session: UnetSession,
        label: Callable[[Callable[[AnnotatedImage], None]], None],
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._correction = Correction(viewer, session)
        self._image: AnnotatedImage | None = None
        self.tools = ObjectTools(viewer, self)

        self.correct = QPushButton(
            "Correct objects",
            toolTip="Copy the predicted objects into a layer of yours to correct them",
        )
        self.renew = QPushButton(
            "New prediction",
            toolTip="Replace the objects of this slice by the prediction, except in "
            "accepted regions. Undo brings them back",
        )
        self.buttons = {
            tool: QPushButton(tool.capitalize(), checkable=True, toolTip=text)
            for tool, text in _TOOLS.items()
        }
        self.accept_view = QPushButton(
            "Accept view",
            toolTip="All objects on screen are right and none is missing: learn from "
            "them, and that everything around them is background",
        )
        self.accept_rectangle = QPushButton(
            "Accept rectangle", toolTip="The same for a rectangle that you draw"
        )
        self.withdraw = QPushButton(
            "Withdraw view", toolTip="What is on screen is no longer accepted"
        )
        self.status = hint("What to do next, and what was done")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_line(self.correct, self.renew))
        column.addLayout(_line(*self.buttons.values()))
        accept = QGridLayout()
        accept.addWidget(self.accept_view, 0, 0)
        accept.addWidget(self.accept_rectangle, 0, 1)
        accept.addWidget(self.withdraw, 1, 0)
        column.addLayout(accept)
        column.addWidget(self.status)

        self.correct.clicked.connect(lambda: label(self._correction.start))
        self.renew.clicked.connect(self._renew)
        for tool, button in self.buttons.items():
            button.clicked.connect(lambda on, tool=tool: self._use(tool, on))
        self.accept_view.clicked.connect(lambda: self._mark_view(True))
        self.withdraw.clicked.connect(lambda: self._mark_view(False))
        self.accept_rectangle.clicked.connect(self._draw_rectangle)
        self.tools.said.connect(self.status.setText)
        self.tools.tool_changed.connect(self._show_tool)
        self.tools.drawn.connect(lambda region: self._mark(region, True))
        self._correction.shown.connect(self._started)
        follow(
            self,
            (viewer.layers.events.inserted, self._offer),
            (viewer.layers.events.removed, self._offer),
            # A layer that was inserted becomes the objects' a moment later.
            (viewer.layers.selection.events.active, self._offer),
        )
        self._offer()

    def show_image(self, image: AnnotatedImage | None) -> None:
        """Correct the objects of this image."""
        if image is not self._image:
            self.tools.stop()
            # What was done is not to be taken for this one's.
            self.status.clear()
        self._image = image
        self._offer()

    def _started(self, image: AnnotatedImage, text: str) -> None:
        self.status.setText(text)
        self._offer()

    def _renew(self) -> None:
        if self._image is not None:
            self.status.setText(self._correction.renew(self._image))

    def _use(self, tool: str, on: bool) -> None:
        if on and self._image is not None:
            self.tools.use(tool, self._image)
        else:
            self.tools.stop()

    def _show_tool(self) -> None:
        for tool, button in self.buttons.items():
            button.setChecked(tool == self.tools.tool)

    def _mark_view(self, complete: bool) -> None:
        if self._image is None:
            return
        height, width = self._image.annotation.shape[-2:]
        try:
            region = region_on_screen(self._viewer, self._image.target, height + width)
        except ImageError as error:
            self.status.setText(str(error))
        else:
            self._mark(region, complete)

    def _draw_rectangle(self) -> None:
        if self._image is not None:
            self.tools.use("rectangle", self._image)

    def _mark(self, region: Region, complete: bool) -> None:
        image = self._image
        if image is None:
            return
        image.accept(region, complete)
        image.object_layer.show()
        height, width = region.shape
        done = "Accepted" if complete else "Withdrawn:"
        self.status.setText(f"{done} {height} x {width} pixels.")
        if complete:
            self.accepted.emit(image, region)

    def _offer(self, event: Any = None) -> None:
        """Enable what can be done."""
        there = self._image is not None and self._image.objects is not None
        for button in (
            *self.buttons.values(),
            self.renew,
            self.accept_view,
            self.accept_rectangle,
            self.withdraw,
        ):
            button.setEnabled(there)


def _line(*widgets: QWidget) -> QLayout:
    line = QHBoxLayout()
    for widget in widgets:
        line.addWidget(widget)
    return line
