"""Annotate: scribbles on the chosen image, kept ones, classes, labels of others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_unet.errors import UnetError
from napari_unet.gui.annotate.class_keys import ClassKeys
from napari_unet.gui.annotate.class_panel import ClassPanel
from napari_unet.gui.annotate.kept_line import KeptLine
from napari_unet.gui.annotate.take_in_panel import TakeInPanel
from napari_unet.gui.parts.background import start
from napari_unet.gui.parts.forms import follow
from napari_unet.gui.parts.notices import user_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer

    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.kept import Kept
    from napari_unet.gui.image.image_panel import ImagePanel
    from napari_unet.gui.image.target import Target
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
        self._waiting: Callable[[AnnotatedImage], None] | None = None

        # A viewer that closes removes one layer after the other: nothing is to be
        # looked up in between, and no thread to begin that late.
        self._then_look = QTimer(self, singleShot=True, interval=0)
        self._then_look.timeout.connect(self._look)

        self.annotate = QPushButton(
            "Annotate",
            toolTip="Paint scribbles on the chosen image: the brush is ready at once",
        )
        self.kept_line = KeptLine()
        self.kept_line.hide()
        self.classes = ClassPanel(annotations)
        self.take_in = TakeInPanel(viewer, annotations, self.label)
        self.keys = ClassKeys(viewer, annotations, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.annotate)
        column.addWidget(self.kept_line)
        column.addWidget(self.classes)
        column.addWidget(self.take_in)

        self.annotate.clicked.connect(lambda: self.label(annotations.scribble))
        self.kept_line.started_anew.connect(self._start_anew)
        self.kept_line.continued.connect(self._restore)
        images.image_changed.connect(self._choose_image)
        follow(
            self,
            (annotations.images_changed, self._show_image),
            (annotations.layers_removed, self._look_again),
        )
        self._show_image()

    @property
    def image(self) -> AnnotatedImage | None:
        """The annotation of the chosen image, if it has one."""
        return self._annotations.of(self._images.layer)

    def label(self, then: Callable[[AnnotatedImage], None]) -> None:
        """Call `then` with the annotation of the chosen image; begin one if need be.

        It waits until what is kept of the image has been looked up. While that is
        offered there is nothing to label: other labels would take its place. The user
        is told of this, and of a `UnetError` that `then` raises.
        """
        from napari.utils.notifications import show_info

        with user_errors():
            target = None if self.image else self._images.target()
            if target is None or (self._is_of(target) and self.kept_line.isHidden()):
                self._begin(then)
            elif self._is_of(target):
                show_info(self.kept_line.request)
            else:
                self._wait_with(then)
                self._look_up(target)

    def _begin(self, then: Callable[[AnnotatedImage], None]) -> None:
        image = self.image
        if image is None:
            target = self._images.target()
            # Who corrects a prediction goes on with its classes.
            predicted = self._session.results_of(target.layer).classes
            if predicted is not None:
                self._annotations.suggest(predicted)
            assert self._kept is not None
            image = self._annotations.add(target, self._kept.new_key)
        then(image)

    def _is_of(self, target: Target) -> bool:
        """Whether it is known what is kept of these pixels."""
        looked = self._target
        return self._kept is not None and (
            looked is not None and looked.image.data is target.image.data
        )

    def _wait_with(self, then: Callable[[AnnotatedImage], None] | None) -> None:
        """Do this once it is known what is kept of the image; nothing if None."""
        self._waiting = then
        self.annotate.setEnabled(then is None)

    def _start_anew(self) -> None:
        with user_errors():
            self._begin(self._annotations.scribble)

    def _choose_image(self) -> None:
        self._wait_with(None)
        self._show_image()

    def _look_again(self) -> None:
        """Labels whose image is gone may be those of the chosen one."""
        if self.image is None:
            self._show_image()

    def _show_image(self) -> None:
        """Follow the choice of an image, and look what is kept of it."""
        image = self.image
        self._target = self._kept = None
        self.annotate.show()
        self.kept_line.hide()
        self.classes.show_image(image)
        self.take_in.setEnabled(self._images.layer is not None)
        self.image_changed.emit(image)
        self._then_look.start()

    def _look(self) -> None:
        """Look what is kept of the chosen image, unless that is known or under way."""
        chosen = self._images.layer is not None and self.image is None
        if chosen and self._target is None:
            with suppress(UnetError):
                self._look_up(self._images.target())

    def _look_up(self, target: Target) -> None:
        self._target, self._kept = target, None
        worker = self._session.restoring.look_up(target)
        # Methods and no lambdas, since Qt forgets those of a panel that is gone.
        worker.returned.connect(self._offer)
        worker.errored.connect(self._not_found)
        start(worker)

    def _offer(self, kept: Kept) -> None:
        """Offer what is kept; if that is nothing, do what waited for it."""
        if self._target is None or self._target.image is not kept.image:
            return
        self._kept = kept
        if kept.saved is not None:
            self.annotate.hide()
            self.kept_line.show_saved(kept.saved)
            self.kept_line.show()
        waiting = self._waiting
        # The panel may be gone by now.
        if waiting is not None:
            self._wait_with(None)
            self.label(waiting)

    def _not_found(self, error: Exception) -> None:
        self._wait_with(None)

    def _restore(self) -> None:
        if self._kept is None:
            return
        with user_errors():
            # The sliders may have been named since it was looked up.
            target = self._images.target()
            worker = self._session.restoring.restore(target, self._kept)
            worker.returned.connect(self._restored)
            start(worker)

    def _restored(self, loaded: Any) -> None:
        if isinstance(loaded, str):
            self.kept_line.show_problem(loaded)
