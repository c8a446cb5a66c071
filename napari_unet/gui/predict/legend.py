"""Which colour is which class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_unet.gui.parts.forms import hint
from napari_unet.gui.parts.swatch import swatch

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
            colour = QLabel()
            colour.setPixmap(swatch(c.colour))
            name = hint(f"The colour of {c.name} in the semantic layer")
            name.setText(c.name)
            line.addWidget(colour)
            line.addWidget(name, 1)
            self._rows.addWidget(row)
