"""Starts a correction: the objects of a prediction in a layer of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.annotation.join import join_schemes
from napari_unet.gui.background import start
from napari_unet.gui.corrections import numbered_through

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.gui.annotated import AnnotatedImage
    from napari_unet.gui.results import Target
    from napari_unet.gui.session import UnetSession

_NONE = "There is no prediction yet: paint objects, or press Predict first."


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

    def start(self, image: AnnotatedImage) -> None:
        """Show the objects of an image; without any, those of the prediction."""
        predicted = self._predicted(image.target)
        if image.annotation.objects.keys() or predicted is None:
            image.show_objects()
            empty = not image.annotation.objects.keys()
            self.shown.emit(image, _NONE if empty else "")
            return
        worker = create_worker(numbered_through, *predicted, _start_thread=False)
        worker.returned.connect(lambda found: self._show(image, *found))
        start(worker)

    def renew(self, image: AnnotatedImage) -> str:
        """Take the prediction of the plane on screen outside the accepted regions.

        Returns
        -------
        str
            A line for the user.
        """
        predicted = self._predicted(image.target)
        layer = image.objects
        if predicted is None or layer is None:
            return _NONE
        image.flush()
        plane = image.plane_shown()
        at = tuple(plane.values())
        instances, semantic = (None if a is None else a[at] for a in predicted)
        assert instances is not None
        new, classes = numbered_through(instances, semantic, image.free_id())
        whole = next(r for r in image.annotation.objects.planes() if r.plane == plane)
        old = image.objects_shown()
        y, x = np.nonzero(~image.annotation.verified.read(whole) & (new != old))
        image.new_ids(self._in_scheme(image, classes))
        position = image.target.position(plane, y, x)
        indices = tuple(np.broadcast_to(i, y.shape) for i in position)
        layer.data_setitem(indices, new[y, x])
        return f"{len(classes)} objects of the prediction."

    def _show(
        self,
        image: AnnotatedImage,
        objects: NDArray[np.uint32],
        classes: dict[int, int],
    ) -> None:
        annotation = image.annotation
        if annotation.objects.keys():
            return
        version = annotation.version
        for plane in annotation.objects.planes():
            annotation.write_objects(plane, objects[annotation.objects.index(plane)])
        annotation.set_object_classes(self._in_scheme(image, classes))
        layer = image.show_objects()
        image.written(version)
        layer.selected_label = image.free_id()
        self.shown.emit(image, f"{len(classes)} objects to correct.")

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
