"""Training while the user paints: what runs, what it learns from, what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QObject, Signal

from napari_unet.engine.messages import PauseTraining, RollBack
from napari_unet.errors import UnetError
from napari_unet.gui.train.feed import Feed
from napari_unet.gui.train.outcome import Outcome
from napari_unet.gui.train.subjects import Subjects
from napari_unet.gui.train.training_run import TrainingRun
from napari_unet.training.events import Stepped

if TYPE_CHECKING:
    from concurrent.futures import Future

    from napari_unet.annotation import Blocks
    from napari_unet.engine.client import Engine
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations
    from napari_unet.gui.image.channels import Channels
    from napari_unet.gui.image.target import Target
    from napari_unet.gui.train.plan import Plan
    from napari_unet.images import Region

State = Literal["idle", "starting", "training", "paused", "stopping"]

# Seconds to wait for the last weights to be kept when the viewer is closed.
_FAREWELL = 5.0


class LiveTraining(QObject):
    """One training at a time, which follows what is painted.

    Parameters
    ----------
    engine : Engine
        Where it trains.
    annotations : Annotations
        What it learns from.
    channels : Channels
        Of the images, what it sees.

    Attributes
    ----------
    state : str
        "idle", "starting", "training", "paused" or "stopping".
    outcome : Outcome
        What it leaves, or the last one has left.
    state_changed : Signal
        It is another one now.
    told : Signal
        Each of the `training.events`, and `RolledBackTo`.
    labels_changed : Signal
        New strokes are on their way to the engine.
    stopped : Signal
        It has ended as it should, with this line for the user.
    failed : Signal
        It has ended, and why, for the user; empty where napari has said it.
    refused : Signal
        Something was not done, and why.
    """

    state_changed = Signal(str)
    told = Signal(object)
    labels_changed = Signal()
    stopped = Signal(str)
    failed = Signal(str)
    refused = Signal(str)
    _answered = Signal(object)
    _decided = Signal(str, object)

    def __init__(
        self, engine: Engine, annotations: Annotations, channels: Channels
    ) -> None:
        super().__init__()
        self.state: State = "idle"
        self.outcome = Outcome()
        self.feed = Feed(engine, self._decided.emit)
        self.subjects = Subjects(annotations, channels)
        self._engine = engine
        self._annotations = annotations
        self._classes = annotations.scheme
        self._run: TrainingRun | None = None
        # Whether to begin again, with other classes, once it has stopped.
        self._again = False
        self._answered.connect(self._hear)
        self._decided.connect(self._take_split)
        annotations.changed.connect(self._labels_changed)
        annotations.scheme_changed.connect(self._classes_changed)
        annotations.images_changed.connect(self._forget_gone)
        annotations.layers_removed.connect(self._forget_gone)

    @property
    def running(self) -> bool:
        """Whether a training is under way, at whatever stage."""
        return self.state != "idle"

    def start(self, plan: Plan) -> None:
        """Begin to train.

        Raises
        ------
        UnetError
            If there is too little to learn from, or the images do not suit the model.
        """
        if self.running:
            return
        from napari_unet.models import new_net, read_spec

        self._annotations.flush()
        self.subjects.check_strokes()
        self.subjects.suit(None if new_net(plan.base) else read_spec(plan.base))
        self._begin(plan)

    def pause(self, paused: bool) -> None:
        """Pause, or go on."""
        if self.state == ("training" if paused else "paused"):
            assert self._run is not None
            self._ask(PauseTraining(self._run.id, paused))
            self._set_state("paused" if paused else "training")

    def stop(self) -> None:
        """End after the step that is under way; the weights are kept."""
        if self.running:
            self._again = False
            self._end()

    def roll_back(self, checkpoint: str) -> None:
        """Go on from the weights of a checkpoint."""
        self._ask(RollBack(str(self.outcome.folder_of(checkpoint))))

    def send(self, *targets: Target) -> Future[None]:
        """Tell the engine of images as they are now.

        Raises
        ------
        ImageError
            If the channels of one do not suit the model.
        """
        return self.feed.send(*map(self.subjects.of, targets))

    def send_again(self, target: Target) -> None:
        """While training, tell the engine that a labelled image is seen otherwise."""
        annotated = self._annotations.of(target.layer)
        if annotated is not None:
            self._labels_changed(annotated, [])

    def close(self) -> None:
        """End, and wait a moment for the last weights to be kept."""
        # Nobody is left to hear of it.
        self.blockSignals(True)
        if self._run is not None and self.running:
            self.stop()
            self._run.wait(_FAREWELL)
            self._run.leave()
        self._set_state("idle")
        self.feed.close()

    def _begin(self, plan: Plan) -> None:
        ready = self.send(*(image.target for image in self.subjects.labelled()))
        self._classes = self._annotations.scheme
        request = plan.request(self._classes, self.subjects.channels)
        self.outcome.begin(plan)
        self._run = run = TrainingRun(self._engine, self.feed, request, ready)
        run.told.connect(self._take)
        run.ended.connect(self._ended)
        run.broken.connect(self._broke)
        self._set_state("starting")
        run.start()

    def _end(self) -> None:
        assert self._run is not None
        self._run.stop()
        self._set_state("stopping")

    def _ask(self, request: PauseTraining | RollBack) -> None:
        """Send a request; what comes of it is told."""
        self.feed.ask(request).add_done_callback(self._answer)

    def _answer(self, future: Future[Any]) -> None:
        """Hand over what came of a request, from another thread."""
        self._answered.emit(future.exception() or future.result())

    def _hear(self, answer: Any) -> None:
        if isinstance(answer, UnetError):
            self.refused.emit(str(answer))
        elif isinstance(answer, Exception):
            raise answer
        else:
            for event in answer or ():
                self._take(event)

    def _take(self, event: Any) -> None:
        """Pass on what happened, on the main thread."""
        if isinstance(event, Stepped) and self.state == "starting":
            self._set_state("training")
        self.outcome.take(event)
        self.told.emit(event)

    def _ended(self, problem: str) -> None:
        again, self._again = self._again and not problem, False
        plan = self.outcome.plan
        if again and plan is not None:
            try:
                self.subjects.check_strokes()
                # How well other classes were told apart does not compare.
                self.outcome.forget_best()
                self._begin(replace(plan, resume=True))
                return
            except UnetError as error:
                problem = str(error)
        self._set_state("idle")
        if problem:
            self.outcome.break_off()
            self.failed.emit(problem)
        else:
            self.stopped.emit(self.outcome.line)

    def _broke(self) -> None:
        self._again = False
        self.outcome.break_off()
        self._set_state("idle")
        self.failed.emit("")

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _take_split(self, key: str, split: Blocks) -> None:
        self.subjects.take_split(key, split)

    def _labels_changed(self, image: AnnotatedImage, regions: list[Region]) -> None:
        # While the classes are being exchanged the engine has the old ones.
        if self.running and not self._again:
            try:
                self.send(image.target).add_done_callback(self._answer)
            except UnetError as error:
                self.refused.emit(str(error))
                return
        self.labels_changed.emit()

    def _classes_changed(self) -> None:
        other = self._annotations.scheme.names != self._classes.names
        if self.running and self.state != "stopping" and other:
            self._again = True
            self._end()

    def _forget_gone(self) -> None:
        """Forget images that are gone, also those that were only looked at."""
        for key in [] if self.feed.closed else self.subjects.take_gone():
            self.feed.remove(key)
