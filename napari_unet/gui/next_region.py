"""Go to where the model is least sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.engine.messages import MostUncertain, UncertainRegion
from napari_unet.errors import UnetError
from napari_unet.gui.background import start
from napari_unet.gui.screen import show_region

if TYPE_CHECKING:
    from concurrent.futures import Future

    from napari.viewer import Viewer

    from napari_unet.gui.session import UnetSession
    from napari_unet.gui.target import Target
    from napari_unet.inference import PredictConfig


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
        self, chosen: Target | None, model: str | None, config: PredictConfig
    ) -> None:
        """Search the chosen image and all annotated ones.

        Parameters
        ----------
        chosen : Target or None
            The image that is looked at.
        model : str or None
            A model to ask; None for what is being trained.
        config : PredictConfig
            Where it runs.

        Raises
        ------
        UnetError
            If there is no image, or its channels do not suit the model.
        """
        live, annotations = self._session.live, self._session.annotations
        targets = [image.target for image in annotations.images]
        if chosen is not None and all(t.layer is not chosen.layer for t in targets):
            targets.append(chosen)
        layers = self._viewer.layers
        targets = [target for target in targets if target.layer in layers]
        self._targets = {live.subjects.key(t.layer): t for t in targets}
        if not targets:
            self.found.emit("There is no image to look at. Open one first.")
            return
        known = live.send(*targets)
        request = MostUncertain(tuple(self._targets), model=model, config=config)
        worker = create_worker(
            self._ask, known, request, _start_thread=False, _ignore_errors=True
        )
        worker.returned.connect(self._go)
        start(worker)

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
