"""Which colour is which class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari_unet.annotation import ClassScheme


class Legend(QWidget):
    """A swatch and a name for each class but the background."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("The colours of the classes in the semantic layer")
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(2)
        self._shown: ClassScheme | None = None

    def show_classes(self, classes: ClassScheme | None) -> None:
        """Show these classes, or none."""
        if classes == self._shown:
            return
        self._shown = classes
        while item := self._rows.takeAt(0):
            item.widget().deleteLater()
        for c in classes.classes[1:] if classes else ():
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.addWidget(_swatch(c.colour))
            line.addWidget(QLabel(c.name), 1)
            self._rows.addWidget(row)


def _swatch(colour: str) -> QLabel:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(0, 0, 0, 0))
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(0, 0, 12, 12, 3, 3)
    painter.end()
    label = QLabel()
    label.setPixmap(pixmap)
    return label
