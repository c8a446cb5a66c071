"""Training while the user paints: what runs, what it learns from, what it shows."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QObject, Signal

from napari_unet.engine.messages import (
    PauseTraining,
    RollBack,
    StopTraining,
    Train,
)
from napari_unet.errors import UnetError
from napari_unet.gui.background import start
from napari_unet.gui.feed import Feed
from napari_unet.gui.subjects import Subjects
from napari_unet.training.events import Checkpointed, Stepped, Stopped

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from napari_unet.engine.client import Engine
    from napari_unet.gui.annotated import AnnotatedImage
    from napari_unet.gui.annotations import Annotations
    from napari_unet.gui.results import Target
    from napari_unet.images import Region
    from napari_unet.training import TrainConfig

State = Literal["idle", "starting", "training", "paused", "stopping"]

# Seconds to wait for the last weights to be kept when the viewer is closed.
_FAREWELL = 5.0


@dataclass(frozen=True)
class Plan:
    """How to begin a training.

    Attributes
    ----------
    name : str
        Of the new model.
    base : str
        A base model's name, a folder, or "none" for random weights.
    folder : Path
        Where the model is kept.
    config : TrainConfig
    resume : bool
        Whether to go on from the last checkpoint in `folder`.
    """

    name: str
    base: str
    folder: Path
    config: TrainConfig
    resume: bool = False


class LiveTraining(QObject):
    """One training at a time, which follows what is painted.

    Parameters
    ----------
    engine : Engine
        Where it trains.
    annotations : Annotations
        What it learns from.

    Attributes
    ----------
    state : str
        "idle", "starting", "training", "paused" or "stopping".
    plan : Plan or None
        Of the training under way or the last one.
    state_changed : Signal
        It is another one now.
    told : Signal
        Each of the `training.events`, and `RolledBackTo`.
    labels_changed : Signal
        New strokes are on their way to the engine.
    stopped : Signal
        It has ended as it should, with this line for the user.
    failed : Signal
        It has ended, or something was not done; why, for the user.
    """

    state_changed = Signal(str)
    told = Signal(object)
    labels_changed = Signal()
    stopped = Signal(str)
    failed = Signal(str)
    _event = Signal(object)
    _answered = Signal(object)

    def __init__(self, engine: Engine, annotations: Annotations) -> None:
        super().__init__()
        self.state: State = "idle"
        self.plan: Plan | None = None
        self.checkpoints: list[Checkpointed] = []
        self.feed = Feed(engine)
        self.subjects = Subjects(annotations)
        self._engine = engine
        self._annotations = annotations
        self._classes = annotations.scheme
        self._give_up = threading.Event()
        self._over = threading.Event()
        self._again = False
        self._stopped_line = ""
        self._best: Path | None = None
        self._sent: set[str] = set()
        self._activity: Any = None
        self._event.connect(self._take)
        self._answered.connect(self._hear)
        annotations.changed.connect(self._labels_changed)
        annotations.scheme_changed.connect(self._classes_changed)
        annotations.images_changed.connect(self._images_changed)

    @property
    def best(self) -> Path | None:
        """The folder of the best model of the training that was stopped last."""
        return self._best

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
        from napari_unet.models import read_spec

        self._annotations.flush()
        self.subjects.check_strokes()
        self.subjects.suit(None if plan.base == "none" else read_spec(plan.base))
        self._begin(plan)

    def pause(self, paused: bool) -> None:
        """Pause, or go on."""
        if self.state == ("training" if paused else "paused"):
            self._ask(PauseTraining(paused=paused))
            self._set_state("paused" if paused else "training")

    def stop(self) -> None:
        """End after the step that is under way; the weights are kept."""
        if self.running:
            self._again = False
            self._end()

    def roll_back(self, checkpoint: str) -> None:
        """Go on from the weights of a checkpoint."""
        self._ask(RollBack(checkpoint))

    def send(self, target: Target) -> Future[None]:
        """Tell the engine of an image as it is now.

        Raises
        ------
        ImageError
            If its channels do not suit the model.
        """
        subject = self.subjects.of(target)
        self._sent.add(subject.key)
        return self.feed.send(subject)

    def close(self) -> None:
        """End, and wait a moment for the last weights to be kept."""
        if self.running:
            self.stop()
            self._over.wait(_FAREWELL)
        # Nobody is left to hear of it.
        self.blockSignals(True)
        self._finish()
        self.feed.close()

    def _begin(self, plan: Plan) -> None:
        images = self.subjects.labelled()
        self._classes = self._annotations.scheme
        request = Train(
            name=plan.name,
            base=plan.base,
            classes=self._classes,
            channels=self.subjects.channels,
            folder=str(plan.folder),
            config=plan.config,
            resume=plan.resume,
        )
        ready = [self.send(image.target) for image in images]
        if self.plan is None or self.plan.folder != plan.folder:
            self.checkpoints.clear()
        self.plan = plan
        self._stopped_line = "Stopped before the first step."
        self._give_up.clear()
        self._over.clear()
        self._set_state("starting")
        self._work(request, ready)

    def _work(self, request: Train, ready: list[Future[None]]) -> None:
        from napari.qt.threading import create_worker
        from napari.utils import progress

        if self._activity is None:
            self._activity = progress(total=0, desc="U-Net: training")
        worker = create_worker(
            self._run, request, ready, _start_thread=False, _ignore_errors=True
        )
        worker.returned.connect(self._ended)
        worker.errored.connect(self._broke)
        start(worker)

    def _run(self, request: Train, ready: list[Future[None]]) -> str:
        """In the worker: pass the events on; return what the user must mend."""
        try:
            for future in ready:
                future.result()
            if not self._give_up.is_set():
                for event in self._engine.request(request):
                    self._event.emit(event)
                    if self._give_up.is_set() and isinstance(event, Stepped):
                        self.feed.ask(StopTraining())
        except UnetError as error:
            return str(error)
        finally:
            self._over.set()
        return ""

    def _end(self) -> None:
        self._give_up.set()
        self._ask(StopTraining())
        self._set_state("stopping")

    def _ask(self, request: Any) -> None:
        """Send a request; what comes of it is told."""

        def done(future: Future[list[Any]]) -> None:
            if not future.cancelled():
                self._answered.emit(future.exception() or future.result())

        self.feed.ask(request).add_done_callback(done)

    def _hear(self, answer: Any) -> None:
        if isinstance(answer, list):
            for event in answer:
                self._take(event)
        elif not isinstance(answer, UnetError):
            raise answer
        elif not self.running:
            self.failed.emit(str(answer))

    def _take(self, event: Any) -> None:
        """Pass on what happened, on the main thread."""
        if isinstance(event, Stepped) and self.state == "starting":
            self._set_state("training")
        elif isinstance(event, Checkpointed):
            self.checkpoints.append(event)
        elif isinstance(event, Stopped) and not self._again:
            assert self.plan is not None
            self._best = self.plan.folder / event.best
            self._stopped_line = (
                f"Stopped after {event.step} steps. The best and the last model are "
                f"kept in '{self.plan.folder}'."
            )
        self.told.emit(event)

    def _ended(self, problem: str) -> None:
        if self._again and not problem:
            self._again = False
            self._restart()
            return
        self._finish()
        if problem:
            self.failed.emit(problem)
        else:
            self.stopped.emit(self._stopped_line)

    def _broke(self, error: Exception) -> None:
        """Report a mistake in the program as napari does, with its traceback."""
        from napari.utils.notifications import notification_manager

        self._finish()
        notification_manager.receive_error(type(error), error, error.__traceback__)
        self.failed.emit("")

    def _finish(self) -> None:
        self._again = False
        if self._activity is not None:
            self._activity.close()
            self._activity = None
        self._set_state("idle")

    def _restart(self) -> None:
        """Go on with other classes, from the last weights."""
        assert self.plan is not None
        try:
            self.subjects.check_strokes()
            self._begin(replace(self.plan, resume=True))
        except UnetError as error:
            self._finish()
            self.failed.emit(str(error))

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _labels_changed(self, image: AnnotatedImage, regions: list[Region]) -> None:
        # While the classes are being exchanged the engine has the old ones.
        if self.running and not self._again:
            try:
                self.send(image.target)
            except UnetError as error:
                self.failed.emit(str(error))
                return
        self.labels_changed.emit()

    def _classes_changed(self) -> None:
        n_classes = len(self._annotations.scheme)
        if (
            self.running
            and self.state != "stopping"
            and n_classes != len(self._classes)
        ):
            self._again = True
            self._end()

    def _images_changed(self) -> None:
        """Forget images that are gone."""
        keys = {self.subjects.key(i.target.layer) for i in self._annotations.images}
        for key in self._sent - keys:
            self.feed.remove(key)
        self._sent &= keys
