"""Predict, Cancel, how far it is, and the settings."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_unet.gui.parts.forms import hint
from napari_unet.gui.parts.section import Section
from napari_unet.gui.predict.config_form import ConfigForm


class PredictPanel(QWidget):
    """The buttons, the progress and the settings of a prediction.

    Attributes
    ----------
    predict_clicked, cancel_clicked : Signal
        A button was pressed.
    """

    predict_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.form = ConfigForm()
        settings = Section(
            "Settings", self.form, tooltip="Where it runs, and what counts as an object"
        )

        self.predict = QPushButton(
            "Predict", toolTip="Segment the chosen image with the chosen model"
        )
        self.cancel = QPushButton(
            "Cancel", toolTip="Stop the prediction; slices that are done stay"
        )
        self.progress = QProgressBar(
            toolTip="How much of the image is done", textVisible=False
        )
        self.status = hint("What is being done, and what was found")
        buttons = QHBoxLayout()
        buttons.addWidget(self.predict, 1)
        buttons.addWidget(self.cancel)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(settings)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.status)
        self.predict.clicked.connect(self.predict_clicked)
        self.cancel.clicked.connect(self.cancel_clicked)
        self.show_idle("")

    def show_idle(self, text: str) -> None:
        """Say what has happened, if anything, and offer Predict."""
        self._set_running(False)
        self.say(text)

    def say(self, text: str) -> None:
        """Say something, whether a prediction runs or not."""
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def show_started(self, text: str) -> None:
        """Say what is being prepared and offer Cancel."""
        self._set_running(True)
        self.progress.setRange(0, 0)
        self.status.setText(text)
        self.status.show()

    def show_progress(self, done: int, total: int) -> None:
        """Show that `done` of `total` tiles are done."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.status.setText(f"Predicting: tile {done} of {total}")

    def _set_running(self, running: bool) -> None:
        self.predict.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.progress.setVisible(running)
