"""The colour of a class as a small square."""

from __future__ import annotations

from qtpy.QtGui import QColor, QPainter, QPixmap

_SIDE = 14
# Seen beside black and white, in a dark theme and in a light one.
_EDGE = "#808080"


def swatch(colour: str) -> QPixmap:
    """Return a square of this colour, with an edge that sets it off from any theme."""
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(QColor(colour))
    painter = QPainter(pixmap)
    painter.setPen(QColor(_EDGE))
    painter.drawRect(0, 0, _SIDE - 1, _SIDE - 1)
    painter.end()
    return pixmap
