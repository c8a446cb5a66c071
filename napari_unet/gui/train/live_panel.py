"""Train: the live loop's panels, wired to what they steer."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_unet.errors import UnetError
from napari_unet.gui.parts.forms import follow
from napari_unet.gui.parts.section import Section
from napari_unet.gui.predict.recent import remember_model
from napari_unet.gui.train.bases import GO_ON, bases
from napari_unet.gui.train.checkpoint_panel import CheckpointPanel
from napari_unet.gui.train.live_view import LiveView
from napari_unet.gui.train.next_region import NextRegion
from napari_unet.gui.train.plan import Plan
from napari_unet.gui.train.train_panel import TrainPanel
from napari_unet.training.config import TrainConfig
from napari_unet.training.events import Checkpointed, Warned

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.image.image_panel import ImagePanel
    from napari_unet.gui.predict.model_panel import ModelPanel
    from napari_unet.gui.predict.predict_panel import PredictPanel
    from napari_unet.gui.session import UnetSession
    from napari_unet.gui.train.preview import Seen


class LivePanel(QWidget):
    """Everything to train on the annotated images.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        Its training.
    images, models, predict
        The panels in which image, model and settings are chosen.

    Attributes
    ----------
    ended : Signal
        Training has ended, with this line.
    """

    ended = Signal(str)

    def __init__(
        self,
        viewer: Viewer,
        session: UnetSession,
        images: ImagePanel,
        models: ModelPanel,
        predict: PredictPanel,
    ) -> None:
        super().__init__()
        self._images = images
        self._models = models
        self._predict = predict
        self._session = session
        self.live = live = session.live
        # How to train, but for the device; scripts and tests set it.
        self.config = TrainConfig()
        # Why there is no preview, and what the line said before that.
        self._no_preview = self._before = ""
        # Why training could not start.
        self._missing = ""
        self.train = TrainPanel(viewer, live.outcome.curves)
        self.checkpoints = CheckpointPanel()
        self._checkpoints = Section(
            "Checkpoints",
            self.checkpoints,
            tooltip="Models kept on the way, to look at and to go back to",
        )
        self.view = LiveView(
            viewer, session, images, lambda: predict.form.config(), self
        )
        self.next = NextRegion(viewer, session)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.train)
        column.addWidget(self._checkpoints)

        self.train.start_clicked.connect(self.start)
        self.train.stop_clicked.connect(live.stop)
        self.train.pause_clicked.connect(live.pause)
        self.train.next_clicked.connect(self.go_next)
        self.train.preview_clicked.connect(self.view.set_on)
        self.checkpoints.chosen.connect(self.look_at)
        self.checkpoints.rolled_back.connect(live.roll_back)
        self.view.thumbnail.connect(self._take_picture)
        self.view.shown.connect(self._say_what_is_shown)
        self.view.told.connect(self._tell)
        self.next.found.connect(self.train.show_line)
        models.model_changed.connect(self._offer_bases)
        follow(self, (session.annotations.changed, self._forget_missing))
        live.state_changed.connect(self._show_state)
        live.told.connect(self._show)
        images.channel_changed.connect(self._see_channel)
        live.stopped.connect(self._stopped)
        live.failed.connect(self._broke_off)
        live.refused.connect(self._refused)
        self._offer_bases()
        self.train.show_state(live.state)
        self._show_checkpoints()

    def start(self) -> None:
        """Begin to train with what is chosen."""
        try:
            self.live.start(self._plan())
        except UnetError as error:
            self._failed(str(error))
            self._missing = self.train.verdict.text()

    def _forget_missing(self) -> None:
        """No longer say why training could not start, as there are more labels now."""
        if self.train.verdict.text() == self._missing:
            self.train.show_how()

    def look_at(self, checkpoint: str) -> None:
        """Show what a checkpoint predicts of the chosen image."""
        if self._images.layer is None:
            self._refused("There is no image to show the checkpoint on. Open one.")
        else:
            self.view.show_checkpoint(checkpoint)

    def _see_channel(self) -> None:
        """Let a training under way learn from the channel that is chosen now."""
        with suppress(UnetError):
            self.live.send_again(self._images.target())

    def go_next(self) -> None:
        """Go to where the model is least sure."""
        try:
            target = self._images.target() if self._images.layer is not None else None
            model, spec = None, None
            if not self.live.running:
                model, spec = self._models.model, self._models.spec()
            config = self._predict.form.config()
            # First: without an image the answer comes at once.
            self.train.show_line("Looking for where the model is least sure…")
            self.next.look(target, model, spec, config)
        except UnetError as error:
            self._refused(str(error))

    def _plan(self) -> Plan:
        base = self.train.base.currentData()
        last = self.live.outcome.plan
        device = self._predict.form.config().device
        config = replace(self.config, device=device)
        if base == GO_ON and last is not None:
            return replace(last, config=config, resume=True)
        return Plan.anew(self._images.target().image.name, base, config)

    def _offer_bases(self) -> None:
        offered = bases(self.live, self._models)
        # While one is under way, what it began with stays in sight.
        if offered and not (self.live.running and self.train.base.count()):
            self.train.offer_bases(offered)

    def _show_state(self, state: str) -> None:
        plan = self.live.outcome.plan
        if state == "starting" and plan is not None:
            # If napari should end without a word, its best model is found again.
            remember_model(plan.folder)
            if not self.live.outcome.checkpoints:
                self._show_checkpoints()
        self.train.show_state(state)

    def _show_checkpoints(self) -> None:
        self.checkpoints.show_all(self.live.outcome.checkpoints)
        for name in self.live.outcome.pictures:
            self._draw(name)
        self._checkpoints.setVisible(bool(self.live.outcome.checkpoints))

    def _show(self, event: Any) -> None:
        self.train.show_event(event)
        if isinstance(event, Checkpointed):
            self.checkpoints.add(event)
            self._checkpoints.show()
            self._checkpoints.open()
        elif isinstance(event, Warned):
            from napari.utils.notifications import show_warning

            show_warning(event.text)
        self.checkpoints.show_kept(self.live.outcome.checkpoints)

    def _stopped(self, text: str) -> None:
        if self._take_over_model():
            text = f"{text} Predict takes the best one now."
        self.train.show_line(text)
        self.ended.emit(text)

    def _broke_off(self, text: str) -> None:
        self._take_over_model()
        self._failed(text)

    def _failed(self, text: str) -> None:
        from napari.utils.notifications import show_error

        self._offer_bases()
        if text:
            show_error(text)
        text = text or "It failed by a mistake in the program."
        self.train.show_line(text)
        self.ended.emit(text)

    def _refused(self, text: str) -> None:
        from napari.utils.notifications import show_error

        show_error(text)
        self.train.show_line(text)

    def _take_over_model(self) -> bool:
        """Let Predict use what was trained, if it can."""
        folder = self.live.outcome.best
        try:
            if folder is not None:
                self._models.choose_folder(folder)
        except UnetError as error:
            self._refused(str(error))
            folder = None
        self._offer_bases()
        return folder is not None

    def _take_picture(self, seen: Seen) -> None:
        assert seen.view.checkpoint is not None
        name = Path(seen.view.checkpoint).name
        self.live.outcome.pictures[name] = seen.semantic
        self._draw(name)

    def _draw(self, name: str) -> None:
        picture = self.live.outcome.pictures[name]
        self.checkpoints.draw(name, picture, self._session.annotations.scheme)

    def _say_what_is_shown(self, seen: Seen) -> None:
        if seen.view.checkpoint is not None:
            self.checkpoints.say_where()

    def _tell(self, text: str) -> None:
        """Say why there is no preview; if there is one, what was said before."""
        line = self.train.verdict.text()
        if text and line != text:
            self._before = line
            self.train.show_line(text)
        elif not text and line == self._no_preview:
            self.train.show_line(self._before)
        self._no_preview = text
