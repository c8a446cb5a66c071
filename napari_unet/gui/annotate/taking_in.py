"""Takes labels that exist already into an annotation, in another thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.annotation import take_in_objects, take_in_scribbles
from napari_unet.errors import UnetError
from napari_unet.gui.parts.background import start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.annotation import Annotation, ClassScheme
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations

_BLACK_AND_WHITE = (
    "These labels are black and white: each connected area is taken for an object. "
    "Where cells touch, number them first."
)


@dataclass(frozen=True)
class Given:
    """Labels that exist already.

    Attributes
    ----------
    labels : Path or ndarray
        A label TIFF, or ``(..., Y, X)`` as `Target.stack` returns them.
    objects : bool
        Whether they are objects, and not classes.
    complete : bool
        Whether 0 is background in them.
    """

    labels: Path | NDArray[Any]
    objects: bool
    complete: bool


class TakingIn(QObject):
    """Takes in given labels without a pause: those of a whole slide take seconds.

    Attributes
    ----------
    ended : Signal
        They are on screen, or the user has been told why not.
    """

    ended = Signal()

    def __init__(self, annotations: Annotations) -> None:
        super().__init__()
        self._annotations = annotations
        self._under_way: tuple[AnnotatedImage, Given, int, ClassScheme] | None = None

    def start(self, image: AnnotatedImage, given: Given) -> None:
        """Take in labels of an image; one after the other."""
        image.flush()
        annotation, scheme = image.annotation.snapshot(), self._annotations.scheme
        self._under_way = image, given, annotation.version, scheme
        worker = create_worker(
            _taken_in, annotation, given, len(scheme), _start_thread=False
        )
        # Methods and no lambdas, since Qt forgets those of a panel that is gone.
        worker.returned.connect(self._take_over)
        worker.errored.connect(self._end)
        start(worker)

    def _take_over(self, result: tuple[Annotation | None, str]) -> None:
        from napari.utils.notifications import show_error, show_info

        assert self._under_way is not None
        image, given, version, scheme = self._under_way
        taken, line = result
        if taken is None:
            show_error(line)
        elif image in self._annotations.images:
            image.flush()
            now = image.annotation
            if now.version != version or self._annotations.scheme != scheme:
                # Once more, with what the user has painted meanwhile.
                self.start(image, given)
                return
            now.follow(taken)
            image.written(version)
            if line:
                show_info(line)
            if given.objects:
                image.object_layer.show()
            else:
                self._annotations.scribble(image)
        self._end()

    def _end(self, error: Exception | None = None) -> None:
        self._under_way = None
        self.ended.emit()


def _taken_in(
    annotation: Annotation, given: Given, n_classes: int
) -> tuple[Annotation | None, str]:
    """Return an annotation with given labels, if they fit, and what to tell."""
    from napari_unet.images import read_labels

    labels, line = given.labels, ""
    try:
        if isinstance(labels, Path):
            labels = read_labels(labels, annotation.shape, annotation.axes)
        if not given.objects:
            take_in_scribbles(
                annotation,
                labels,
                n_classes,
                zero="background" if given.complete else "unlabelled",
            )
        elif take_in_objects(annotation, labels, complete=given.complete):
            line = _BLACK_AND_WHITE
    except UnetError as error:
        return None, str(error)
    # Looked up here, and not on the main thread.
    annotation.ids()
    return annotation, line
