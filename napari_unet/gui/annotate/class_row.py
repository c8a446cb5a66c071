"""One class in the list: key, colour, name, labelled pixels, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon
from qtpy.QtWidgets import (
    QColorDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from napari_unet.gui.parts.forms import follow_font
from napari_unet.gui.parts.swatch import swatch

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

    from napari_unet.annotation import LabelClass

_KEYS = 9
# Room for 99,999 px: names are not to become narrower with each stroke.
_ROOM = "min-width: 5em"


class ClassRow(QWidget):
    """Chooses, renames, recolours or removes a class.

    Parameters
    ----------
    index : int
        Of the class, 0 for background.
    label : LabelClass
        Its name and colour.

    Attributes
    ----------
    chosen, removed : Signal
        With the index.
    renamed, recoloured : Signal
        With the index, and the name or colour.
    """

    chosen = Signal(int)
    renamed = Signal(int, str)
    recoloured = Signal(int, str)
    removed = Signal(int)

    def __init__(self, index: int, label: LabelClass) -> None:
        super().__init__()
        self._index = index
        self.choose = QPushButton(str(index + 1), checkable=True, autoExclusive=True)
        self.choose.setFixedWidth(28)
        self.colour = QToolButton(autoRaise=True)
        self.name = QLineEdit(frame=False)
        self.name.setAccessibleName(f"Name of class {index + 1}")
        self.name.setMinimumWidth(40)
        follow_font(self.name)
        self.count = QLabel(styleSheet=_ROOM)
        self.count.setAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        self.remove = QToolButton(text="×", autoRaise=True)
        follow_font(self.remove)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.choose)
        line.addWidget(self.colour)
        line.addWidget(self.name, 1)
        line.addWidget(self.count)
        line.addWidget(self.remove)
        policy = self.remove.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.remove.setSizePolicy(policy)
        self.remove.setVisible(index > 0)
        self.show_label(label)

        self.choose.clicked.connect(lambda: self.chosen.emit(index))
        self.remove.clicked.connect(lambda: self.removed.emit(index))
        self.colour.clicked.connect(self._ask_colour)
        self.name.editingFinished.connect(self._rename)

    def show_label(self, label: LabelClass) -> None:
        """Show another name or colour of the class."""
        self._label = label
        key = f" (Shift+{self._index + 1})" if self._index < _KEYS else ""
        self.choose.setToolTip(f"Paint {label.name}{key}")
        self.colour.setIcon(QIcon(swatch(label.colour)))
        self.colour.setToolTip(f"Change the colour of {label.name}")
        self.name.setText(label.name)
        # A name that is wider than the field is read from its beginning.
        self.name.setCursorPosition(0)
        self.name.setToolTip(f"The name of the class; type to change it\n{label.name}")
        self.count.setToolTip(f"Labelled pixels of {label.name} in this image")
        self.remove.setToolTip(
            f"Remove {label.name}; you are asked what becomes of its labels"
        )
        for button in (self.choose, self.colour, self.remove):
            button.setAccessibleName(button.toolTip())

    def show_count(self, pixels: int) -> None:
        """Show how many pixels are labelled."""
        self.count.setText(f"{pixels:,} px" if pixels else "–")

    def show_chosen(self, chosen: bool) -> None:
        """Show whether this class is the one that is painted."""
        self.choose.setChecked(chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc bring a name back that is being typed over."""
        if event.key() == Qt.Key.Key_Escape and self.name.hasFocus():
            self.name.setText(self._label.name)
            self.name.selectAll()
        else:
            super().keyPressEvent(event)

    def _rename(self) -> None:
        name = self.name.text().strip()
        if name != self._label.name:
            self.renamed.emit(self._index, name)
        else:
            self.show_label(self._label)

    def _ask_colour(self) -> None:
        colour = QColorDialog.getColor(
            QColor(self._label.colour), self, f"The colour of {self._label.name}"
        )
        if colour.isValid():
            self.recoloured.emit(self._index, colour.name())
