"""Panels below each other, to scroll where they are too high."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_unet.gui.parts.forms import follow_font, share_of_screen

if TYPE_CHECKING:
    from qtpy.QtCore import QObject

# Characters of text beside each other, if there is room: what is folded away at first
# finds place, too.
_COMFORTABLE = 52
# Lines of text below each other that another dock leaves it.
_LINES = 14
# napari's style hides where the keyboard is. The padding makes up for the border.
_FOCUS = """
QPushButton:focus { border: 1px solid palette(highlight); padding: 3px; }
QComboBox:focus {
    border: 1px solid palette(highlight); padding: 2px 9px 2px 7px;
}
QToolButton:focus { border: 1px solid palette(highlight); }
QCheckBox:focus { outline: 1px solid palette(highlight); }
"""
# What the wheel would change.
_FIELDS = (QComboBox, QAbstractSpinBox)


class Column(QScrollArea):
    """A column of widgets that is as wide as the widest of them needs.

    A scroll area alone would cut them off at the right, in a narrow dock or with a
    large font. The mouse's wheel scrolls it, and changes nothing on the way.
    """

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self.setStyleSheet(_FOCUS)
        # It is as wide as its text, which napari's font size goes for.
        follow_font(self)
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        for widget in widgets:
            column.addWidget(widget)
        column.addStretch()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self._content)
        for kind in _FIELDS:
            for field in self._content.findChildren(kind):
                field.installEventFilter(self)

    def minimumSizeHint(self) -> QSize:
        """Return the width that no widget is cut off at, and some height."""
        height = _LINES * self.fontMetrics().lineSpacing()
        beside = self.verticalScrollBar().sizeHint().width() + 2 * self.frameWidth()
        return QSize(self._content.minimumSizeHint().width() + beside, height)

    def sizeHint(self) -> QSize:
        """Return what is comfortable to read, no narrower than it must be."""
        size = super().sizeHint().expandedTo(self.minimumSizeHint())
        width = _COMFORTABLE * self.fontMetrics().averageCharWidth()
        return size.expandedTo(QSize(min(width, share_of_screen(self).width()), 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the content when it needs another width; scroll over any field."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        if event.type() == QEvent.Type.Wheel and isinstance(watched, _FIELDS):
            # Left to what the field is in.
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))


def reveal(widget: QWidget) -> None:
    """Scroll the column that a widget is in until it is seen, and what is above it."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, Column):
        parent = parent.parentWidget()
    if parent is not None:
        parent.ensureWidgetVisible(widget, 0, 2 * widget.height())
