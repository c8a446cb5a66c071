"""A net on screen: boxes and arrows to look at, hover and click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF, QTransform
from qtpy.QtWidgets import (
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsView,
    QSizePolicy,
)

from napari_unet.gui.parts.forms import share_of_screen
from napari_unet.models.drawing import BROKEN, COLOURS, LEGEND, Drawing, draw

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent
    from qtpy.QtWidgets import QGraphicsSceneHoverEvent, QGraphicsSceneMouseEvent

    from napari_unet.models.drawing import Box
    from napari_unet.models.steps import Blueprint

FILL, CHOSEN, EDGE = "#9dbfe0", "#f2b134", "#2f4f73"
# Below the smaller one the numbers cannot be read.
SMALLEST_SCALE, LARGEST_SCALE = 0.75, 1.3


class NetView(QGraphicsView):
    """Shows a blueprint as large as fits, and scrolls where it could not be read.

    Attributes
    ----------
    hovered : Signal
        The place of the step under the mouse.
    clicked : Signal
        The place of the step that was clicked.
    """

    hovered = Signal(int)
    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setScene(QGraphicsScene(self))
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setBackgroundBrush(QBrush(Qt.BrushStyle.NoBrush))
        self.setMinimumHeight(160)
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        self.boxes: list[_BoxItem] = []
        self._shown: Blueprint | None = None

    def show_net(self, blueprint: Blueprint) -> None:
        """Draw a net; where its size does not fit, the place where it breaks is red."""
        self._shown = blueprint
        drawing = draw(blueprint)
        scene = self.scene()
        scene.clear()
        text = self.palette().windowText().color()
        for arrow in drawing.arrows:
            colour = QColor(COLOURS[arrow.kind])
            scene.addLine(arrow.x0, arrow.y0, arrow.x1, arrow.y1, QPen(colour, 2))
            head = QPolygonF([QPointF(x, y) for x, y in arrow.head])
            scene.addPolygon(head, QPen(colour), QBrush(colour))
        self.boxes = [_BoxItem(box, self) for box in drawing.boxes]
        for item in self.boxes:
            scene.addItem(item)
            box = item.box
            self._write(str(box.step.channels), box.x, box.y - 18, box.width, text)
            below = box.y + box.height + 2
            self._write(box.side, box.x, below, box.width, text, faint=True)
        if blueprint.problem:
            last = self.boxes[-1]
            last.setPen(QPen(QColor(BROKEN), 3))
            x = last.box.x + last.box.width + 12
            self._write("✗", x, last.box.y, 0, QColor(BROKEN))
        self._legend(drawing, text)
        scene.setSceneRect(scene.itemsBoundingRect().adjusted(-10, -10, 10, 10))
        self._fit()
        # A net is read from the image on.
        self.centerOn(self.sceneRect().topLeft())

    def choose(self, place: int) -> None:
        """Mark one step."""
        for item in self.boxes:
            item.mark(item.box.place == place)

    def sizeHint(self) -> QSize:
        """Return the size of the whole net, or what leaves room for the image."""
        return super().sizeHint().boundedTo(share_of_screen(self))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole net in view, if it can be read, or else what is seen of it."""
        super().resizeEvent(event)
        if self._shown is not None:
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Draw again in the colours of another theme."""
        super().changeEvent(event)
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event.type() in kinds and self._shown is not None:
            self.show_net(self._shown)

    def _fit(self) -> None:
        room, net = self.maximumViewportSize(), self.sceneRect()
        fits = min(room.width() / net.width(), room.height() / net.height())
        scale = min(max(fits, SMALLEST_SCALE), LARGEST_SCALE)
        # The same scale leaves a net that is scrolled where it is.
        if scale != self.transform().m11():
            self.setTransform(QTransform.fromScale(scale, scale))

    def _write(
        self, text: str, x: float, y: float, width: float, colour: QColor, *,
        faint: bool = False,
    ) -> None:  # fmt: skip
        item = self.scene().addSimpleText(text)
        font = item.font()
        font.setPixelSize(11 if faint else 13)
        item.setFont(font)
        item.setBrush(colour)
        item.setOpacity(0.7 if faint else 1.0)
        item.setPos(x + width / 2 - item.boundingRect().width() / 2, y)

    def _legend(self, drawing: Drawing, colour: QColor) -> None:
        x = 0.0
        for kind, what in LEGEND.items():
            if any(arrow.kind == kind for arrow in drawing.arrows):
                brush = QBrush(QColor(COLOURS[kind]))
                y = drawing.height
                self.scene().addRect(x, y + 5, 12, 4, QPen(Qt.PenStyle.NoPen), brush)
                item = self.scene().addSimpleText(what)
                item.setBrush(colour)
                item.setPos(x + 17, y - 1)
                x += item.boundingRect().width() + 45


class _BoxItem(QGraphicsRectItem):
    def __init__(self, box: Box, view: NetView) -> None:
        super().__init__(QRectF(box.x, box.y, box.width, box.height))
        self.box = box
        self._view = view
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setPen(QPen(QColor(EDGE), 1))
        self.mark(False)

    def mark(self, chosen: bool) -> None:
        """Fill it as the chosen one, or as the others."""
        self.setBrush(QBrush(QColor(CHOSEN if chosen else FILL)))

    def hoverEnterEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        """Tell which step the mouse is on."""
        self._view.hovered.emit(self.box.place)

    def mousePressEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """Tell which step was clicked."""
        self._view.clicked.emit(self.box.place)
