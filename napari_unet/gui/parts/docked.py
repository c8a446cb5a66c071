"""What napari docks, and lets go when its dock is closed."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QWidget


class Docked(QWidget):
    """A widget that ends with its dock.

    napari takes it out of a dock that is closed, and would leave it there unseen, with
    its keys and its previews, beside the one that is opened next.
    """

    def changeEvent(self, event: QEvent) -> None:
        """Notice when there is another dock, or none."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange:
            QTimer.singleShot(0, self._end_without_dock)

    def _end_without_dock(self) -> None:
        if self.parent() is None:
            self.deleteLater()
