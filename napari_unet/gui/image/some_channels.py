"""Asks which of many channels models are to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet.gui.image.channels import ChannelChoice

if TYPE_CHECKING:
    from collections.abc import Mapping

# More of them are scrolled.
_ROWS = 8


class SomeChannels(QWidget):
    """The question which channels, or layers; hidden while nothing is asked.

    Attributes
    ----------
    chosen : Signal(ChannelChoice)
        Two or more were.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[ChannelChoice] = []
        self.list = QListWidget(toolTip="Tick those that the model is to see")
        self.list.setAccessibleName("Channels that the model sees")
        self.choose = QPushButton(
            "Choose", toolTip="Let the model see those that are ticked: two or more"
        )
        self.cancel = QPushButton("Cancel", toolTip="Leave the channels as they are")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        buttons = QHBoxLayout()
        buttons.addWidget(self.choose)
        buttons.addWidget(self.cancel)
        column.addLayout(buttons)
        self.list.itemChanged.connect(self._allow)
        self.choose.clicked.connect(self._choose)
        self.cancel.clicked.connect(self.hide)
        self.hide()

    def ask(
        self,
        parts: Mapping[str, ChannelChoice],
        seen: ChannelChoice,
        needed: ChannelChoice,
    ) -> None:
        """Ask which of `parts`; `seen` are ticked, and `needed` cannot be left out."""
        self.list.clear()
        self._parts = list(parts.values())
        for text, part in parts.items():
            item = QListWidgetItem(text)
            ticked = seen.holds(part) or needed.holds(part)
            item.setCheckState(
                Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
            )
            if needed.holds(part):
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
        rows = min(len(parts), _ROWS)
        frame = 2 * self.list.frameWidth()
        self.list.setFixedHeight(rows * self.list.sizeHintForRow(0) + frame)
        self._allow()
        self.show()
        self.list.setCurrentRow(0)
        self.list.setFocus()

    def _ticked(self) -> list[ChannelChoice]:
        return [
            part
            for row, part in enumerate(self._parts)
            if (item := self.list.item(row)) is not None
            and item.checkState() == Qt.CheckState.Checked
        ]

    def _allow(self) -> None:
        self.choose.setEnabled(len(self._ticked()) > 1)

    def _choose(self) -> None:
        self.hide()
        ticked = self._ticked()
        self.chosen.emit(
            ChannelChoice(
                tuple(channel for part in ticked for channel in part.channels),
                tuple(layer for part in ticked for layer in part.layers),
            )
        )
