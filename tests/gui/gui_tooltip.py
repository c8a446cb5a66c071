"""What is read where the mouse rests."""

from qtpy.QtCore import QEvent
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import (
    QApplication,
    QToolTip,
    QWidget,
)


def tooltip_of(w: QWidget) -> str:
    """Rest the mouse on a widget, and return what is told."""
    at = w.rect().center()
    QApplication.sendEvent(w, QHelpEvent(QEvent.Type.ToolTip, at, w.mapToGlobal(at)))
    return QToolTip.text()
