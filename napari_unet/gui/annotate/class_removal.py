"""Asks before a class is removed, and says what becomes of its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_unet.gui.parts.forms import compact, hint

if TYPE_CHECKING:
    from napari_unet.gui.annotate.annotations import Annotations


class ClassRemoval(QWidget):
    """The question whether to remove a class; hidden while nothing is asked."""

    def __init__(self, annotations: Annotations) -> None:
        super().__init__()
        self._annotations = annotations
        self._index, self._asked = 0, (0, 0, 0)
        self.question = hint("What would be removed")
        self.becomes = QComboBox(toolTip="What becomes of the labels of this class")
        self.becomes.setAccessibleName("What becomes of its labels")
        compact(self.becomes)
        self.remove = QPushButton("Remove", toolTip="Remove the class. No undo")
        self.cancel = QPushButton("Keep", toolTip="Leave the class as it is")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.question)
        column.addWidget(self.becomes)
        buttons = QHBoxLayout()
        buttons.addWidget(self.remove)
        buttons.addWidget(self.cancel)
        column.addLayout(buttons)
        self.remove.clicked.connect(self._remove)
        self.cancel.clicked.connect(self.hide)
        self.hide()

    def ask(self, index: int) -> None:
        """Ask about the class `index`."""
        scheme = self._annotations.scheme
        self._index = index
        self._asked = pixels, objects, images = self._annotations.labelled(index)
        found = [f"{pixels:,} labelled pixels"] if pixels else []
        if objects:
            found.append("1 object" if objects == 1 else f"{objects:,} objects")
        where = "1 image" if images == 1 else f"{images} images"
        has = f"{' and '.join(found)} in {where}" if found else "no labels"
        self.question.setText(f"Remove '{scheme.names[index]}'? It has {has}.")
        self.becomes.clear()
        self.becomes.addItem("Its labels are erased", None)
        for other, name in enumerate(scheme.names):
            if other != index:
                self.becomes.addItem(f"Its labels become {name}", other)
        self.becomes.setVisible(bool(found))
        self.show()

    def _remove(self) -> None:
        if self._annotations.labelled(self._index) != self._asked:
            # More than was said, since it has been painted meanwhile.
            self.ask(self._index)
            return
        self.hide()
        self._annotations.remove_class(self._index, self.becomes.currentData())
