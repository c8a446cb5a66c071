"""Start, Pause, Stop, and how training goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import QSignalThrottler

from napari_unet.engine.messages import RolledBackTo
from napari_unet.gui.parts.forms import compact, hint, row
from napari_unet.training.events import RolledBack, Stepped, Validated

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.train.curves import Curves
    from napari_unet.gui.train.plot import TrainingPlot
    from napari_unet.training.events import Verdict

# Milliseconds: what changes in the panel has all of the window drawn, which costs more
# than it tells the user.
_REDRAW = 1000

_VERDICTS: dict[Verdict, str] = {
    "starting": "Just begun",
    "improving": "Improving",
    "flat": "Flat: more strokes will help here",
    "overfitting": "Overfitting: it learns your strokes by heart. Paint some more in "
    "other places, or stop: the best model is kept.",
}
_NOTHING_HELD_OUT = (
    "Not judged yet: paint a second stroke of each class, and one will be kept for "
    "checking."
)


class TrainPanel(QWidget):
    """The buttons of training, its curves and an honest line.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose theme the plot follows.
    curves : Curves
        What is plotted.

    Attributes
    ----------
    start_clicked, stop_clicked, next_clicked : Signal
        A button was pressed.
    pause_clicked : Signal
        Whether to pause or to go on.
    preview_clicked : Signal
        Whether previews are wanted.
    """

    start_clicked = Signal()
    stop_clicked = Signal()
    next_clicked = Signal()
    pause_clicked = Signal(bool)
    preview_clicked = Signal(bool)

    def __init__(self, viewer: Viewer, curves: Curves) -> None:
        super().__init__()
        self._viewer = viewer
        self._curves = curves
        self._state = "idle"
        self._step: Stepped | None = None
        self._now_and_then = QSignalThrottler(parent=self)
        self._now_and_then.setTimeout(_REDRAW)
        self._now_and_then.triggered.connect(self._show_course)
        self.plot: TrainingPlot | None = None
        self.base = QComboBox(
            toolTip="What training begins with: a model that knows cells already "
            "learns faster"
        )
        compact(self.base)
        self.start = QPushButton(
            "Start", toolTip="Learn from the strokes of all annotated images"
        )
        self.pause = QPushButton(
            "Pause", toolTip="Rest for a while; the preview stays", checkable=True
        )
        self.stop = QPushButton(
            "Stop", toolTip="End training; the best and the last model are kept"
        )
        self.preview = QCheckBox(
            "Preview",
            toolTip="Predict what is on screen again while training goes on",
            checked=True,
        )
        self.next = QPushButton(
            "Next",
            toolTip="Go to where the model is least sure: painting helps most there",
        )
        self.verdict = hint(
            "Whether more training or more strokes would help. Dice: how well it does "
            "on labels that training never sees, at best 1"
        )
        self.figures = hint(
            "How far and how fast it is, and how many labelled pixels it learns from; "
            "the others are kept for checking"
        )

        buttons = QHBoxLayout()
        for button in (self.start, self.pause, self.stop):
            buttons.addWidget(button)
        line = QHBoxLayout()
        line.addWidget(self.preview, 1)
        line.addWidget(self.next)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(row("Base", self.base))
        self._column.addLayout(buttons)
        self._column.addWidget(self.verdict)
        self._column.addWidget(self.figures)
        self._column.addLayout(line)

        self.start.clicked.connect(self.start_clicked)
        self.stop.clicked.connect(self.stop_clicked)
        self.next.clicked.connect(self.next_clicked)
        self.pause.clicked.connect(self.pause_clicked)
        self.preview.toggled.connect(self.preview_clicked)
        self.figures.hide()
        self.show_state("idle")
        self.show_how()
        if curves.losses:
            self._make_plot()

    def offer_bases(self, bases: list[tuple[str, str]]) -> None:
        """Offer names and values to begin with; choose the first one if new."""
        chosen = self.base.currentData()
        before = [self.base.itemData(i) for i in range(self.base.count())]
        self.base.clear()
        for name, value in bases:
            self.base.addItem(name, value)
        keep = chosen in before and bases[0][1] in before
        self.base.setCurrentIndex(max(0, self.base.findData(chosen)) if keep else 0)

    def show_state(self, state: str) -> None:
        """Offer what can be done in a state of `LiveTraining`."""
        before, self._state = self._state, state
        running = state in ("training", "paused")
        self.start.setEnabled(state == "idle")
        self.base.setEnabled(state == "idle")
        self.pause.setEnabled(running)
        self.pause.setChecked(state == "paused")
        self.pause.setText("Resume" if state == "paused" else "Pause")
        self.stop.setEnabled(running or state == "starting")
        if state == "starting":
            self._step = None
            self._make_plot().draw()
            self.show_line("Preparing…")
            self.figures.hide()
        elif state == "paused":
            self.show_line("Paused. Press Resume to go on.")
        elif state == "training" and before != "starting":
            # Until it is judged again: what was said before may no longer be so.
            self.show_line("Training goes on.")
        elif state == "stopping":
            self.show_line("Stopping after this step…")

    def show_how(self) -> None:
        """Say what to do first."""
        self.show_line(
            "Paint strokes on the background and on each class, then press Start."
        )

    def show_line(self, text: str) -> None:
        """Say something about training."""
        self.verdict.setText(text)

    def show_event(self, event: Any) -> None:
        """Show one of the events of training."""
        match event:
            case Stepped():
                self._step = event
                self._now_and_then.throttle()
                if event.step == 1 or self.verdict.text() == "Preparing…":
                    self.show_line(_VERDICTS["starting"])
            case Validated():
                self._show_score(event)
            case RolledBack():
                self.show_line(
                    "Training ran away; it went back to good weights and goes on more "
                    "slowly."
                )
            case RolledBackTo():
                then = " Press Start to go on from there."
                self.show_line(
                    "Back at the checkpoint." + (then if self._state == "idle" else "")
                )

    def _show_score(self, event: Validated) -> None:
        if event.score is None:
            line = _NOTHING_HELD_OUT
        else:
            self._now_and_then.throttle()
            line = f"{_VERDICTS[event.verdict]} (Dice {event.score:.2f})"
        # The step that was under way when Pause or Stop was pressed may be judged yet.
        if self._state not in ("paused", "stopping"):
            self.show_line(line)

    def _show_course(self) -> None:
        """Show how far it is, and draw the curves."""
        self._make_plot().draw()
        if (step := self._step) is not None:
            self.figures.show()
            self.figures.setText(
                f"Step {step.step:,} · {step.steps_per_second:.1f} steps/s · "
                f"learns from {step.labelled:,} px"
            )

    def _make_plot(self) -> TrainingPlot:
        # Not before it is needed: pyqtgraph takes a while to import.
        if self.plot is None:
            from napari_unet.gui.train.plot import TrainingPlot

            self.plot = TrainingPlot(self._viewer, self._curves)
            self._column.addWidget(self.plot)
        return self.plot
