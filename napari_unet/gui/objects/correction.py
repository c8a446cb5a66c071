"""Starts a correction: the objects of a prediction in a layer of the user's."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal
from superqt.utils import create_worker

from napari_unet.annotation.join import join_schemes
from napari_unet.gui.objects.corrections import numbered_through, objects_of
from napari_unet.gui.parts.background import start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.annotation import Blocks
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.image.target import Target
    from napari_unet.gui.session import UnetSession
    from napari_unet.images import Region

_NONE = "There is no prediction yet: paint objects, or press Predict first."

# Rows to replace at once, and seconds to do so without a pause.
_ROWS, _TURN = 64, 0.05


class Correction(QObject):
    """Copies predicted objects; the prediction stays as it is.

    Attributes
    ----------
    shown : Signal
        The image whose objects can be corrected now, and a line for the user.
    """

    shown = Signal(object, str)

    def __init__(self, viewer: Viewer, session: UnetSession) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._renewing = False
        self._parts: Iterator[None] = iter(())
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._go_on)

    def start(self, image: AnnotatedImage) -> None:
        """Show the objects of an image; without any, those of the prediction."""
        predicted = self._predicted(image.target)
        if image.annotation.objects.keys() or predicted is None:
            image.object_layer.show()
            empty = not image.annotation.objects.keys()
            self.shown.emit(image, _NONE if empty else "")
            return
        blank = image.annotation.objects.snapshot()
        axes = image.target.image.stack_axes
        worker = create_worker(objects_of, *predicted, axes, blank, _start_thread=False)
        worker.returned.connect(lambda found: self._show(image, *found))
        start(worker)

    def renew(self, image: AnnotatedImage) -> str:
        """Take the prediction of the plane on screen outside the accepted regions.

        What comes of it is told by `shown`; undo takes it back.

        Returns
        -------
        str
            A line for the user.
        """
        predicted = self._predicted(image.target)
        layer = image.objects
        if predicted is None or layer is None:
            return _NONE
        if not self._renewing:
            self._renewing = True
            image.flush()
            plane = image.plane_shown()
            at = tuple(plane.values())
            planes = image.annotation.objects.planes()
            whole = next(region for region in planes if region.plane == plane)
            worker = create_worker(
                numbered_through,
                *(None if labels is None else labels[at] for labels in predicted),
                _start_thread=False,
            )
            worker.returned.connect(lambda found: self._take(image, whole, *found))
            worker.errored.connect(self._end_renewal)
            start(worker)
        return "Taking the objects of the prediction…"

    def _take(
        self,
        image: AnnotatedImage,
        whole: Region,
        objects: NDArray[np.uint32],
        classes: dict[int, int],
    ) -> None:
        """Replace a plane by objects that are numbered from 1 on, in turns."""
        above = image.object_layer.free_id() - 1
        classes = {index + above: label for index, label in classes.items()}
        image.object_layer.announce(self._in_scheme(image, classes))
        self._parts = self._replace(image, whole, objects, above)
        self._go_on()

    def _go_on(self) -> None:
        end = time.perf_counter() + _TURN
        self._renewing = False
        for _ in self._parts:
            if time.perf_counter() > end:
                self._renewing = True
                self._timer.start()
                return

    def _replace(
        self,
        image: AnnotatedImage,
        whole: Region,
        objects: NDArray[np.uint32],
        above: int,
    ) -> Iterator[None]:
        """Write what differs outside the accepted regions, some rows at a time."""
        layer = image.objects
        if layer is None:
            return
        plane = image.target.plane(layer, whole)
        with layer.block_history():
            for y0 in range(0, len(objects), _ROWS):
                if layer not in self._viewer.layers:
                    return
                rows = slice(y0, y0 + _ROWS)
                new = np.where(objects[rows], objects[rows] + np.uint32(above), 0)
                part = replace(whole, y0=y0, y1=y0 + len(new))
                kept = image.annotation.verified.read(part)
                y, x = np.nonzero((new != plane[rows]) & ~kept)
                position = image.target.position(whole.plane, y + y0, x)
                indices = tuple(np.broadcast_to(i, y.shape) for i in position)
                layer.data_setitem(indices, new[y, x])
                # The user may have scrolled on.
                image.object_layer.look_at(whole.plane)
                yield
        found = int(objects.max(initial=0))
        self.shown.emit(image, f"{_objects(found)} of the prediction.")

    def _end_renewal(self, error: Any = None) -> None:
        self._renewing = False

    def _show(
        self, image: AnnotatedImage, objects: Blocks, classes: dict[int, int]
    ) -> None:
        annotation = image.annotation
        if annotation.objects.keys():
            return
        version = annotation.version
        annotation.follow_objects(objects)
        annotation.set_object_classes(self._in_scheme(image, classes))
        # Into a layer that is there; a new one is drawn once, with all that is in it.
        image.written(version)
        image.object_layer.show()
        self.shown.emit(image, f"{_objects(len(classes))} to correct.")

    def _in_scheme(
        self, image: AnnotatedImage, classes: dict[int, int]
    ) -> dict[int, int]:
        """Return classes of the model as the user's, added where they are missing."""
        theirs = self._session.results_of(image.target.layer).classes
        if theirs is None:
            return classes
        annotations = self._session.annotations
        scheme, where = join_schemes(annotations.scheme, theirs)
        if scheme != annotations.scheme:
            annotations.set_scheme(scheme)
        return {index: where[label] for index, label in classes.items()}

    def _predicted(
        self, target: Target
    ) -> tuple[NDArray[Any], NDArray[Any] | None] | None:
        """Return instances and semantic, ``(..., Y, X)``, of the prediction."""
        results = self._session.results_of(target.layer)
        instances, semantic = (
            results.latest(self._viewer, target, role)
            for role in ("instances", "semantic")
        )
        if instances is None:
            return None
        classes = None if semantic is None else target.stack(semantic)
        return target.stack(instances), classes


def _objects(n: int) -> str:
    return f"{n} object" + "s" * (n != 1)
