"""Predict: its panels, wired to what they steer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt.utils import create_worker

from napari_unet.engine.messages import Describe, Described, WarmUp
from napari_unet.errors import UnetError
from napari_unet.gui.image.screen import FLAT_FIRST, is_flat
from napari_unet.gui.parts.background import start
from napari_unet.gui.predict.legend import Legend
from napari_unet.gui.predict.measure import DiameterLine
from napari_unet.gui.predict.model_panel import ModelPanel
from napari_unet.gui.predict.planes import Job
from napari_unet.gui.predict.predict_panel import PredictPanel
from napari_unet.gui.predict.prediction import Prediction

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.image.image_panel import ImagePanel
    from napari_unet.gui.image.target import Target
    from napari_unet.gui.session import UnetSession

_DRAG = "Drag a line across a typical cell. Esc gives it up."


class PredictionPanel(QWidget):
    """Everything to segment the chosen image with a model.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        Its engine and results.
    images : ImagePanel
        Where the image is chosen.

    Attributes
    ----------
    models : ModelPanel
        Where the model is chosen.
    controls : PredictPanel
        The buttons and the settings.
    ended : Signal
        A prediction has ended; with it the line that the panel shows.
    """

    ended = Signal(str)

    def __init__(
        self, viewer: Viewer, session: UnetSession, images: ImagePanel
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._images = images
        self._prediction: Prediction | None = None
        self._problem = False
        self._measuring = _DRAG
        self.models = models = ModelPanel()
        self.controls = controls = PredictPanel()
        self.legend = Legend()
        self.diameter_line = DiameterLine(viewer, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (models, controls, self.legend):
            column.addWidget(part)

        controls.predict_clicked.connect(self.start)
        controls.cancel_clicked.connect(self.cancel)
        controls.form.device_changed.connect(self.ask_device)
        controls.form.measure_clicked.connect(self._measure)
        self.diameter_line.measured.connect(self._show_diameter)
        self.diameter_line.ended.connect(self._end_measuring)
        models.model_changed.connect(self._warm_up)
        images.image_changed.connect(self._show_image)
        for mended in (
            images.channel_changed,
            models.model_changed,
            controls.form.changed,
        ):
            mended.connect(self._forget_problem)

    @property
    def running(self) -> bool:
        """Whether a prediction runs."""
        return self._prediction is not None

    def start(self) -> None:
        """Start to segment what is chosen; the layers follow when they are ready."""
        if self.running:
            return
        try:
            target, job = self._chosen()
        except UnetError as error:
            self._fail(str(error))
            return
        self._prediction = run = Prediction(self._viewer, self._session, target, job)
        run.progressed.connect(self.controls.show_progress)
        run.warned.connect(self._warn)
        run.finished.connect(self._finish)
        run.cancelled.connect(self._finish)
        run.failed.connect(self._fail)
        self.destroyed.connect(run.cancel)
        self.controls.show_started("Preparing…")
        run.start()

    def cancel(self) -> None:
        """Give up a running prediction."""
        if self._prediction is not None:
            self._prediction.cancel()

    def _chosen(self) -> tuple[Target, Job]:
        target = self._images.target()
        job = Job(
            self._session.channels.image(target.layer, target.image),
            self._images.planes(target.image),
            self.models.model,
            self.models.spec(),
            self.controls.form.config(self._images.channels.seen),
        )
        return target, job

    def _measure(self) -> None:
        """Let the user drag a line across a cell of the chosen image."""
        from napari.utils.notifications import show_error

        button = self.controls.form.measure
        if not button.isChecked():
            self.diameter_line.stop()
            return
        try:
            target = self._images.target()
            if not is_flat(self._viewer, target):
                raise UnetError(FLAT_FIRST)
        except UnetError as error:
            button.setChecked(False)
            show_error(str(error))
            self.controls.say(str(error))
            # A prediction that runs goes on.
            self._problem = not self.running
            return
        self._say_measuring(_DRAG)
        self.diameter_line.start(target)

    def _end_measuring(self) -> None:
        self.controls.form.measure.setChecked(False)
        if self.controls.status.text() == self._measuring:
            # The length is under Diameter.
            self.controls.say("")

    def _show_diameter(self, pixels: float) -> None:
        self.controls.form.set("diameter", f"{pixels:.0f}")
        self._say_measuring(f"The line is {pixels:.0f} pixels long.")

    def _say_measuring(self, text: str) -> None:
        self._measuring = text
        self.controls.say(text)

    def _fail(self, text: str) -> None:
        """Say what is wrong; a mistake in the program has been reported already."""
        from napari.utils.notifications import show_error

        if text:
            show_error(text)
        self._finish(text or "It failed by a mistake in the program.")
        self._problem = True

    def _forget_problem(self) -> None:
        """No longer say why there was no prediction, as the next one may go well."""
        if self._problem and not self.running:
            self._problem = False
            self.controls.show_idle("")

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        show_warning(text)

    def _finish(self, text: str) -> None:
        self._prediction = None
        self._problem = False
        self.controls.show_idle(text)
        self.show_legend()
        self.ended.emit(text)

    def _show_image(self) -> None:
        """Say nothing more of the image before."""
        if not self.running:
            self.controls.show_idle("")
        self.show_legend()

    def show_legend(self) -> None:
        """Show the classes that the chosen image's semantic layer has now."""
        layer = self._images.layer
        self.legend.show_classes(
            self._session.results_of(layer).classes if layer else None
        )

    def ask_device(self, device: str = "auto") -> None:
        """Ask the engine what it runs on, which starts it; nothing waits for it."""
        self.models.show_device("Looking for the fastest device…")
        worker = create_worker(
            self._session.engine.ask,
            Describe(device),
            _start_thread=False,
            _ignore_errors=True,
        )
        worker.returned.connect(self._show_device)
        worker.errored.connect(self._show_no_device)
        start(worker)

    def _show_device(self, described: Described) -> None:
        self.models.show_device(
            " ".join((f"Runs on {described.device}.", *described.notes))
        )
        self._warm_up()

    def _show_no_device(self, error: Exception) -> None:
        self.models.show_device(str(error))

    def _warm_up(self) -> None:
        """Let a running engine load the model; what fails is said by Predict."""
        engine = self._session.engine
        try:
            request = WarmUp(self.models.model, self.controls.form.config())
        except UnetError:
            return
        if engine.pid is not None:
            worker = create_worker(
                engine.ask, request, _start_thread=False, _ignore_errors=True
            )
            start(worker)
