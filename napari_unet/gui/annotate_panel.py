"""Annotate: scribbles on the chosen image, kept ones, classes, labels of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_unet.errors import AnnotationError, UnetError
from napari_unet.gui.background import start
from napari_unet.gui.class_keys import ClassKeys
from napari_unet.gui.class_panel import ClassPanel
from napari_unet.gui.forms import follow
from napari_unet.gui.kept_line import KeptLine
from napari_unet.gui.take_in_panel import TakeInPanel

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.annotated import AnnotatedImage
    from napari_unet.gui.image_panel import ImagePanel
    from napari_unet.gui.kept import Kept
    from napari_unet.gui.results import Target
    from napari_unet.gui.session import UnetSession


class AnnotatePanel(QWidget):
    """Everything to label the image that is chosen in the image panel.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        What is labelled and predicted.
    images : ImagePanel
        Where the image is chosen.

    Attributes
    ----------
    image_changed : Signal
        Another image is annotated from now on: an AnnotatedImage, or None.
    """

    image_changed = Signal(object)

    def __init__(
        self, viewer: Viewer, session: UnetSession, images: ImagePanel
    ) -> None:
        super().__init__()
        self._session = session
        self._annotations = annotations = session.annotations
        self._images = images
        self._target: Target | None = None
        self._kept: Kept | None = None

        self.annotate = QPushButton(
            "Annotate",
            toolTip="Paint scribbles on the chosen image: the brush is ready at once",
        )
        self.kept_line = KeptLine()
        self.kept_line.hide()
        self.classes = ClassPanel(annotations)
        self.take_in = TakeInPanel(viewer, annotations)
        self.keys = ClassKeys(viewer, annotations, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.annotate)
        column.addWidget(self.kept_line)
        column.addWidget(self.classes)
        column.addWidget(self.take_in)

        self.annotate.clicked.connect(self.start)
        self.kept_line.started_anew.connect(self.start)
        self.kept_line.continued.connect(self._restore)
        images.image_changed.connect(self._show_image)
        follow(self, (annotations.images_changed, self._show_image))
        self._show_image()

    @property
    def image(self) -> AnnotatedImage | None:
        """The annotation of the chosen image, if it has one."""
        return self._annotations.of(self._images.layer)

    def target_to_label(self) -> Target:
        """Return the chosen image, unless it waits for an answer about kept labels.

        Raises
        ------
        UnetError
            If there is no image, it cannot be read as one, or labels of an earlier
            session are offered: others would take their place.
        """
        if not self.kept_line.isHidden():
            raise AnnotationError(
                "Labels of this image are kept from an earlier session. Press "
                "'Continue where you left off' or 'Start anew' under Annotate first."
            )
        return self._images.target()

    def start(self) -> None:
        """Let the user paint on the chosen image."""
        from napari.utils.notifications import show_error

        try:
            target = self._images.target()
            # Who corrects a prediction goes on with its classes.
            predicted = self._session.results_of(target.layer).classes
            if predicted is not None:
                self._annotations.suggest(predicted)
            self._annotations.annotate(target)
        except UnetError as error:
            show_error(str(error))

    def _show_image(self) -> None:
        """Follow the choice of an image, and look what is kept of it."""
        image = self.image
        self.annotate.show()
        self.kept_line.hide()
        self.classes.show_image(image)
        self.take_in.show_image(self._images.layer, self._take_target)
        self.image_changed.emit(image)
        if image is not None or self._images.layer is None:
            self._target = None
            return
        try:
            self._target = target = self._images.target()
        except UnetError:
            self._target = None
            return
        worker = self._annotations.look_up(target)
        worker.returned.connect(lambda kept: self._offer(target, kept))
        start(worker)

    def _take_target(self) -> AnnotatedImage:
        return self._annotations.correct(self.target_to_label())

    def _offer(self, target: Target, kept: Kept) -> None:
        if self._target is target and kept.saved is not None:
            self._kept = kept
            self.annotate.hide()
            self.kept_line.show_saved(kept.saved)
            self.kept_line.show()

    def _restore(self) -> None:
        from napari.utils.notifications import show_error

        if self._target is None or self._kept is None:
            return
        try:
            # The sliders may have been named since it was looked up.
            target = self._images.target()
        except UnetError as error:
            show_error(str(error))
            return
        worker = self._annotations.restore(target, self._kept)
        worker.returned.connect(self._restored)
        start(worker)

    def _restored(self, loaded: Any) -> None:
        if isinstance(loaded, str):
            self.kept_line.show_problem(loaded)
