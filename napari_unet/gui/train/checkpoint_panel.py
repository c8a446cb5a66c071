"""The timeline of checkpoints: look at one, or go back to it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet.gui.parts.column import reveal
from napari_unet.gui.parts.forms import hint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.annotation import ClassScheme
    from napari_unet.training import Checkpointed

_SIDE = 48
_NAME = Qt.ItemDataRole.UserRole
_CLICK = "Click a checkpoint to see what it predicts."
_SHOWN = (
    "The layer '… checkpoint' shows it. Hide that layer to see what the model says now."
)


class CheckpointPanel(QWidget):
    """A list of checkpoints, newest first, with score, time and a small picture.

    Attributes
    ----------
    chosen : Signal
        The name of a checkpoint that was clicked.
    rolled_back : Signal
        The name of the one to go on from.
    """

    chosen = Signal(str)
    rolled_back = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget(
            toolTip="Models kept on the way. Click one to see what it predicts, in a "
            "layer of its own"
        )
        self.list.setIconSize(QSize(_SIDE, _SIDE))
        self.list.setFixedHeight(3 * (_SIDE + 10))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.back = QPushButton(
            "Go back to this one",
            toolTip="Forget what was learnt after the chosen checkpoint and go on "
            "from there",
            enabled=False,
        )
        self.where = hint("Where the chosen checkpoint can be seen")
        self.where.setText(_CLICK)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addWidget(self.where)
        column.addWidget(self.back)
        self.list.currentItemChanged.connect(self._forget)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.back.clicked.connect(self._roll_back)

    def show_all(self, kept: list[Checkpointed]) -> None:
        """Show these checkpoints."""
        self.list.clear()
        for checkpoint in kept:
            self.add(checkpoint)
        self.show_kept(kept)

    def add(self, checkpoint: Checkpointed) -> None:
        """Add the newest checkpoint."""
        blank = QPixmap(_SIDE, _SIDE)
        blank.fill(QColor(0, 0, 0))
        item = QListWidgetItem(QIcon(blank), _text(checkpoint, best=checkpoint.best))
        item.setData(_NAME, checkpoint.name)
        item.setToolTip("Click to see what this checkpoint predicts")
        self.list.insertItem(0, item)

    def show_kept(self, kept: list[Checkpointed]) -> None:
        """Show which of the checkpoints are still there, and which one is the best."""
        there = {checkpoint.name: checkpoint for checkpoint in kept}
        # Each was the best one in its time.
        best = [checkpoint for checkpoint in kept if checkpoint.best][-1:]
        for i in reversed(range(self.list.count())):
            item = self.list.item(i)
            checkpoint = there.get(item.data(_NAME))
            if checkpoint is None:
                self.list.takeItem(i)
            else:
                item.setText(_text(checkpoint, best=checkpoint in best))

    def draw(
        self, name: str, semantic: NDArray[np.uint8], classes: ClassScheme
    ) -> None:
        """Draw the prediction ``(Y, X)`` of a checkpoint beside it."""
        for i in range(self.list.count()):
            item = self.list.item(i)
            if item.data(_NAME) == name:
                item.setIcon(QIcon(_picture(semantic, classes)))

    def say_where(self) -> None:
        """Say where the chosen checkpoint can be seen, now that it can."""
        if self.back.isEnabled() and self.where.text() != _SHOWN:
            self.where.setText(_SHOWN)
            reveal(self.back)

    def _forget(self) -> None:
        """Offer nothing for one that was only gone to with the keyboard."""
        self.where.setText(_CLICK)
        self.back.setEnabled(False)

    def _choose(self, item: QListWidgetItem) -> None:
        self.back.setEnabled(True)
        self.chosen.emit(item.data(_NAME))

    def _roll_back(self) -> None:
        self.rolled_back.emit(self.list.currentItem().data(_NAME))


def _text(checkpoint: Checkpointed, *, best: bool) -> str:
    """Return what a row of the list says."""
    step = f"Step {checkpoint.step:,}{' · best' if best else ''}"
    at = f"{datetime.fromtimestamp(checkpoint.saved):%H:%M:%S}"
    score = checkpoint.score
    return f"{step}\n{at}" if score is None else f"{step}\nDice {score:.2f} · {at}"


def _picture(semantic: NDArray[np.uint8], classes: ClassScheme) -> QPixmap:
    """Return a small square picture in the colours of the classes."""
    side = min(semantic.shape)
    colours = np.zeros((256, 3), np.uint8)
    for i, c in enumerate(classes.classes[1:], start=1):
        colours[i] = QColor(c.colour).getRgb()[:3]
    pixels = np.ascontiguousarray(colours[semantic[:side, :side]])
    image = QImage(pixels.data, side, side, 3 * side, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image).scaled(_SIDE, _SIDE)
