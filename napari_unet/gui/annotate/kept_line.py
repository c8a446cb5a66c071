"""Offers to go on with labels of an earlier session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_unet.errors import AnnotationError
from napari_unet.gui.parts.forms import hint

if TYPE_CHECKING:
    from napari_unet.annotation import Saved


class KeptLine(QWidget):
    """What is kept of an image, and two buttons.

    Attributes
    ----------
    continued, started_anew : Signal
        A button was pressed.
    """

    continued = Signal()
    started_anew = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = hint("Labels of this image that were saved in an earlier session")
        self.go_on = QPushButton(
            "Continue where you left off", toolTip="Go on with the labels that are kept"
        )
        self.anew = QPushButton(
            "Start anew",
            toolTip="Start without labels; what is kept stays on the disk beside them",
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.go_on, 1)
        buttons.addWidget(self.anew)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.go_on.clicked.connect(self.continued)
        self.anew.clicked.connect(self.started_anew)

    @property
    def request(self) -> str:
        """What somebody who wants to label is to do first."""
        if self.go_on.isHidden():
            return self.text.text()
        return (
            f"{self.text.text()} Press 'Continue where you left off' or 'Start anew' "
            "under Annotate first."
        )

    def show_saved(self, saved: Saved | AnnotationError) -> None:
        """Say what is kept, or why it cannot be read."""
        if isinstance(saved, AnnotationError):
            self.text.setText(str(saved))
            self.go_on.hide()
        else:
            self.text.setText(_summary(saved))
            self.go_on.show()

    def show_problem(self, text: str) -> None:
        """Say why what is kept could not be gone on with; it can be tried again."""
        self.text.setText(text)


def _summary(saved: Saved) -> str:
    names = saved.scheme.names
    found = ", ".join(
        f"{name} {count:,} px"
        for name, count in zip(names, saved.counts, strict=True)
        if count
    )
    at = saved.saved_at.astimezone()
    return (
        f"Labels of {at:%d %b %Y, %H:%M} are kept: {found or 'nothing accepted yet'}."
    )
