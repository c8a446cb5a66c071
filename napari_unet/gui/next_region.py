"""Go to where the model is least sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.engine.messages import MostUncertain, UncertainRegion
from napari_unet.errors import ImageError, UnetError
from napari_unet.gui.background import start
from napari_unet.gui.screen import show_region

if TYPE_CHECKING:
    from concurrent.futures import Future

    from napari.viewer import Viewer

    from napari_unet.gui.session import UnetSession
    from napari_unet.gui.subject import Subject
    from napari_unet.gui.target import Target
    from napari_unet.inference import PredictConfig
    from napari_unet.models import ModelSpec


class NextRegion(QObject):
    """One search at a time for the most uncertain region of the annotated images.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose view is moved.
    session : UnetSession
        Its engine, training and annotations.

    Attributes
    ----------
    found : Signal
        The view has moved, or not; with it a line for the user.
    """

    found = Signal(str)

    def __init__(self, viewer: Viewer, session: UnetSession) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._targets: dict[str, Target] = {}

    def look(
        self,
        chosen: Target | None,
        model: str | None,
        spec: ModelSpec | None,
        config: PredictConfig,
    ) -> None:
        """Search the chosen image and all annotated ones that suit the model.

        Parameters
        ----------
        chosen : Target or None
            The image that is looked at.
        model : str or None
            A model to ask; None for what is being trained.
        spec : ModelSpec or None
            Its description.
        config : PredictConfig
            Where it runs.

        Raises
        ------
        UnetError
            If the channels of none of them suit the model.
        """
        live, annotations = self._session.live, self._session.annotations
        targets = [image.target for image in annotations.images]
        if chosen is not None and all(t.layer is not chosen.layer for t in targets):
            targets.append(chosen)
        layers = self._viewer.layers
        targets = [target for target in targets if target.layer in layers]
        if not targets:
            self.found.emit("There is no image to look at. Open one first.")
            return
        known = live.feed.send(*self._suiting(targets, spec))
        request = MostUncertain(tuple(self._targets), model=model, config=config)
        worker = create_worker(
            self._ask, known, request, _start_thread=False, _ignore_errors=True
        )
        worker.returned.connect(self._go)
        start(worker)

    def _suiting(self, targets: list[Target], spec: ModelSpec | None) -> list[Subject]:
        """Remember and return the images that the model can look at."""
        subjects, problems = [], []
        self._targets = {}
        for target in targets:
            try:
                subject = self._session.live.subjects.of(target, spec)
            except ImageError as error:
                problems.append(error)
            else:
                subjects.append(subject)
                self._targets[subject.key] = target
        if not subjects:
            raise problems[0]
        return subjects

    def _ask(self, known: Future[None], request: MostUncertain) -> Any:
        try:
            known.result()
            return self._session.engine.ask(request)
        except UnetError as error:
            return str(error)

    def _go(self, answer: Any) -> None:
        if not isinstance(answer, UncertainRegion):
            self.found.emit(str(answer))
            return
        target = self._targets[answer.key]
        if target.layer not in self._viewer.layers:
            self.found.emit("The image has been removed meanwhile. Press Next again.")
            return
        annotated = self._session.annotations.of(target.layer)
        scribbles = annotated.scribbles if annotated else None
        self._viewer.layers.selection.active = scribbles or target.layer
        show_region(self._viewer, target, answer.region)
        self.found.emit(
            f"Least sure here in '{target.layer.name}' "
            f"({answer.uncertainty:.0%} uncertain)."
        )
