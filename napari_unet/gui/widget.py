"""The dock "U-Net", made of its panels."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt.utils import create_worker

from napari_unet.engine.messages import Describe, Described, WarmUp
from napari_unet.errors import UnetError
from napari_unet.gui.annotate_panel import AnnotatePanel
from napari_unet.gui.background import start
from napari_unet.gui.column import Column
from napari_unet.gui.image_panel import ImagePanel
from napari_unet.gui.legend import Legend
from napari_unet.gui.live_panel import LivePanel
from napari_unet.gui.measure import DiameterLine
from napari_unet.gui.model_panel import ModelPanel
from napari_unet.gui.objects_panel import ObjectsPanel
from napari_unet.gui.planes import Job
from napari_unet.gui.predict_panel import PredictPanel
from napari_unet.gui.prediction import Prediction
from napari_unet.gui.section import Section
from napari_unet.gui.session import session_of
from napari_unet.resources import resource

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_unet.gui.target import Target


class UnetWidget(QWidget):
    """Segment an image of the viewer with a model.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer that it is docked in.

    Attributes
    ----------
    predicted : Signal
        A prediction has ended; with it the line that the panel shows.
    """

    predicted = Signal(str)

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.setObjectName("U-Net")
        self.setWindowIcon(QIcon(str(resource("icons/unet.svg"))))
        self._viewer = napari_viewer
        self.session = session_of(napari_viewer)
        self.session.show_in(self)
        self._prediction: Prediction | None = None
        self._problem = self._opened = False

        self.image_panel = ImagePanel(napari_viewer, self.session)
        self.model_panel = ModelPanel()
        self.predict_panel = PredictPanel()
        self.legend = Legend()
        self.annotate_panel = AnnotatePanel(
            napari_viewer, self.session, self.image_panel
        )
        self.objects_panel = ObjectsPanel(
            napari_viewer, self.session, self.annotate_panel.label
        )
        self.annotate_panel.image_changed.connect(self.objects_panel.show_image)
        self.objects_panel.show_image(self.annotate_panel.image)
        self.live_panel = LivePanel(
            napari_viewer,
            self.session,
            self.image_panel,
            self.model_panel,
            self.predict_panel,
        )
        column = Column(
            self.image_panel,
            Section(
                "Predict",
                self.model_panel,
                self.predict_panel,
                self.legend,
                tooltip="Segment the image with a model",
                folded=False,
            ),
            Section(
                "Annotate",
                self.annotate_panel,
                tooltip="Paint what the pixels are, for training",
                folded=False,
            ),
            Section(
                "Objects",
                self.objects_panel,
                tooltip="Correct objects one by one, and learn from regions of them",
            ),
            Section(
                "Train",
                self.live_panel,
                tooltip="Let a model learn from what is painted, while you paint",
                folded=False,
            ),
        )
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(column)

        self.predict_panel.predict_clicked.connect(self.predict)
        self.predict_panel.cancel_clicked.connect(self.cancel)
        self.predict_panel.form.device_changed.connect(self._ask_device)
        self.predict_panel.form.measure_clicked.connect(self._measure)
        self.model_panel.model_changed.connect(self._warm_up)
        self.model_panel.model_changed.connect(self._suggest_classes)
        self.image_panel.image_changed.connect(self._show_image)
        for mended in (
            self.image_panel.channel_changed,
            self.model_panel.model_changed,
            self.predict_panel.form.changed,
        ):
            mended.connect(self._forget_problem)
        self.diameter_line = DiameterLine(napari_viewer, self)
        self.diameter_line.measured.connect(self._show_diameter)
        self._suggest_classes()

    @property
    def predicting(self) -> bool:
        """Whether a prediction runs."""
        return self._prediction is not None

    def predict(self) -> None:
        """Start to segment what is chosen; the layers follow when they are ready."""
        if self.predicting:
            return
        try:
            target, job = self._chosen()
        except UnetError as error:
            self._fail(str(error))
            return
        self._prediction = run = Prediction(self._viewer, self.session, target, job)
        run.progressed.connect(self.predict_panel.show_progress)
        run.warned.connect(self._warn)
        run.finished.connect(self._finish)
        run.cancelled.connect(self._finish)
        run.failed.connect(self._fail)
        self.destroyed.connect(run.cancel)
        self.predict_panel.show_started("Preparing…")
        run.start()

    def cancel(self) -> None:
        """Give up a running prediction."""
        if self._prediction is not None:
            self._prediction.cancel()

    def _chosen(self) -> tuple[Target, Job]:
        target = self.image_panel.target()
        job = Job(
            target.image,
            self.image_panel.planes(target.image),
            self.model_panel.model,
            self.model_panel.spec(),
            self.predict_panel.form.config(self.image_panel.channel),
        )
        return target, job

    def _measure(self) -> None:
        """Let the user drag a line across a cell of the chosen image."""
        layer = self.image_panel.layer
        if layer is None:
            self._fail("There is no image to measure on. Open one first.")
            return
        self.predict_panel.show_idle("Drag a line across a typical cell.")
        self.diameter_line.start(layer)

    def _show_diameter(self, pixels: float) -> None:
        self.predict_panel.form.set("diameter", f"{pixels:.0f}")
        self.predict_panel.show_idle(f"The line is {pixels:.0f} pixels long.")

    def _fail(self, text: str) -> None:
        """Say what is wrong; a mistake in the program has been reported already."""
        from napari.utils.notifications import show_error

        if text:
            show_error(text)
        self._finish(text or "It failed by a mistake in the program.")
        self._problem = True

    def _forget_problem(self) -> None:
        """No longer say why there was no prediction, as the next one may go well."""
        if self._problem and not self.predicting:
            self._problem = False
            self.predict_panel.show_idle("")

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        show_warning(text)

    def _finish(self, text: str) -> None:
        self._prediction = None
        self._problem = False
        self.predict_panel.show_idle(text)
        self._show_legend()
        self.predicted.emit(text)

    def _show_image(self) -> None:
        """Say nothing more of the image before."""
        if not self.predicting:
            self.predict_panel.show_idle("")
        self._show_legend()

    def _show_legend(self) -> None:
        layer = self.image_panel.layer
        self.legend.show_classes(
            self.session.results_of(layer).classes if layer else None
        )

    def showEvent(self, event: QShowEvent) -> None:
        """Get the engine ready when the panel is first seen."""
        super().showEvent(event)
        if self._opened:
            return
        self._opened = True
        window = self.session.end_with_window_of(self)
        self.annotate_panel.keys.install(window)
        self._ask_device()
        start(create_worker(_import_for_labels, _start_thread=False))

    def _ask_device(self, device: str = "auto") -> None:
        """Ask the engine what it runs on, which starts it; nothing waits for it."""
        self.model_panel.show_device("Looking for the fastest device…")
        worker = create_worker(
            self.session.engine.ask,
            Describe(device),
            _start_thread=False,
            _ignore_errors=True,
        )
        worker.returned.connect(self._show_device)
        worker.errored.connect(self._show_no_device)
        start(worker)

    def _show_device(self, described: Described) -> None:
        self.model_panel.show_device(
            " ".join((f"Runs on {described.device}.", *described.notes))
        )
        self._warm_up()

    def _show_no_device(self, error: Exception) -> None:
        self.model_panel.show_device(str(error))

    def _suggest_classes(self) -> None:
        """Begin with the model's classes: what it knows of them is then kept."""
        with suppress(UnetError):
            self.session.annotations.suggest(self.model_panel.spec().classes)

    def _warm_up(self) -> None:
        """Let a running engine load the model; what fails is said by Predict."""
        engine = self.session.engine
        try:
            request = WarmUp(
                self.model_panel.model, self.predict_panel.form.config(None)
            )
        except UnetError:
            return
        if engine.pid is not None:
            worker = create_worker(
                engine.ask, request, _start_thread=False, _ignore_errors=True
            )
            start(worker)


def _import_for_labels() -> None:
    """Import what napari does with the first label layer, which would stop the window.

    It would also show a warning: napari has the filter for it in place during one of
    these imports, and a worker that ends meanwhile takes that away.
    """
    for name in ("pandas", "scipy.ndimage", "skimage.color.colorconv"):
        with suppress(ImportError):
            import_module(name)
