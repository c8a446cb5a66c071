"""Go to where the model is least sure."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.engine.messages import MostUncertain, UncertainRegion
from napari_unet.errors import ImageError, UnetError
from napari_unet.gui.image.screen import show_region
from napari_unet.gui.parts.background import start
from napari_unet.gui.parts.notices import report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from napari.viewer import Viewer

    from napari_unet.gui.image.target import Target
    from napari_unet.gui.session import UnetSession
    from napari_unet.gui.train.subject import Subject
    from napari_unet.images import Region
    from napari_unet.inference import PredictConfig
    from napari_unet.models import ModelSpec


# Planes of one search: each is copied to where the engine sees it.
_MOST_PLANES = 32
# Places of late that are not gone to again while there are others.
_MOST_SHOWN = 16


class NextRegion(QObject):
    """The search for the most uncertain region of the annotated images.

    A search takes the place of one that is under way.

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
        # Of the latest search.
        self._seen: dict[str, Target] = {}
        # Who paints nothing at a place wants another one.
        self._shown: deque[tuple[str, Region]] = deque(maxlen=_MOST_SHOWN)

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
        suiting = self._suiting(targets, spec)
        planes = [(s.key, plane) for s, _ in suiting for plane in s.image.planes()]
        if len(planes) > _MOST_PLANES:
            # Another search looks at other planes.
            planes = random.sample(planes, _MOST_PLANES)
        known = live.feed.send(*(_with(s, planes) for s, _ in suiting))
        request = MostUncertain(
            tuple(planes), model=model, config=config, shown=tuple(self._shown)
        )
        self._seen = seen = {subject.key: target for subject, target in suiting}
        worker = create_worker(
            self._ask, known, request, seen, _start_thread=False, _ignore_errors=True
        )
        worker.returned.connect(self._go)
        worker.errored.connect(self._break)
        start(worker)

    def _suiting(
        self, targets: list[Target], spec: ModelSpec | None
    ) -> list[tuple[Subject, Target]]:
        """Return the images that the model can look at."""
        suiting, problems = [], []
        for target in targets:
            try:
                suiting.append((self._session.live.subjects.of(target, spec), target))
            except ImageError as error:
                problems.append(error)
        if not suiting:
            raise problems[0]
        return suiting

    def _ask(
        self, known: Future[None], request: MostUncertain, seen: dict[str, Target]
    ) -> tuple[dict[str, Target], Any]:
        try:
            known.result()
            return seen, self._session.engine.ask(request)
        except UnetError as error:
            return seen, str(error)

    def _break(self, error: Exception) -> None:
        """End by a mistake in the program."""
        report(error)
        self.found.emit("It failed by a mistake in the program.")

    def _go(self, found: tuple[dict[str, Target], Any]) -> None:
        """Go where the answer to a search says, unless there is a later one."""
        seen, answer = found
        if seen is not self._seen:
            return
        if not isinstance(answer, UncertainRegion):
            self.found.emit(str(answer))
            return
        place = (answer.key, answer.region)
        if place in self._shown:
            # There is no other: the next round begins.
            self._shown.clear()
        self._shown.append(place)
        target = seen[answer.key]
        if target.layer not in self._viewer.layers:
            self.found.emit("The image has been removed meanwhile. Press Next again.")
            return
        annotated = self._session.annotations.of(target.layer)
        scribbles = annotated.scribbles if annotated else None
        for layer in (target.layer, scribbles):
            if layer is not None:
                layer.visible = True
        self._viewer.layers.selection.active = scribbles or target.layer
        show_region(self._viewer, target, answer.region)
        self.found.emit(
            f"Least sure here in '{target.layer.name}' "
            f"({answer.uncertainty:.0%} uncertain)."
        )


def _with(subject: Subject, planes: Sequence[tuple[str, Mapping[str, int]]]) -> Subject:
    """Return a subject with its part of the planes that are looked at."""
    mine = tuple(plane for key, plane in planes if key == subject.key)
    return replace(subject, planes=mine)
