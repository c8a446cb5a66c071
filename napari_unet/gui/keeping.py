"""Keeps labels on the disk and finds them again, without a pause in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_unet.annotation import AnnotationStore, Autosave
from napari_unet.gui.kept import Kept, load_kept, look_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.annotated import AnnotatedImage
    from napari_unet.gui.target import Target
    from napari_unet.images import Image


class Keeping(QObject):
    """The disk, as far as the images of a viewer are concerned.

    Parameters
    ----------
    store : AnnotationStore, optional
        Where labels are kept; the user's own if not given.
    """

    _failed = Signal(str)

    def __init__(self, store: AnnotationStore | None = None) -> None:
        super().__init__()
        self._store = store or AnnotationStore()
        self._autosave: Autosave | None = None
        # Brings what the saving thread has to say to the main thread.
        self._failed.connect(self._show)

    @property
    def unsaved(self) -> bool:
        """Whether something is not on the disk yet."""
        return self._autosave is not None and self._autosave.unsaved

    def look_up(
        self, target: Target, in_view: Mapping[str, str], beside: Sequence[Image]
    ) -> Any:
        """Look for labels of an image, in another thread; see `kept.look_up`.

        Returns
        -------
        superqt.utils.FunctionWorker
            To be started. Its `returned` gives a `Kept`.
        """
        path = target.layer.source.path
        return create_worker(
            look_up,
            self._store,
            target.image,
            path,
            in_view,
            beside,
            _start_thread=False,
        )

    def load(self, target: Target, kept: Kept) -> Any:
        """Read what is kept of an image, in another thread; see `kept.load_kept`.

        Returns
        -------
        superqt.utils.FunctionWorker
            To be started. Its `returned` gives annotation and scheme, or a text.
        """
        return create_worker(
            load_kept, self._store, kept.key, target.image, _start_thread=False
        )

    def save(self, image: AnnotatedImage, scheme: ClassScheme) -> None:
        """Have the labels of an image saved soon, if there are any."""
        if not image.annotation.version:
            return
        if self._autosave is None:
            self._autosave = Autosave(
                self._store, failed=lambda error: self._failed.emit(str(error))
            )
        self._autosave.changed(image.key, image.annotation, scheme, image.name)

    def close(self) -> None:
        """Save everything now.

        Raises
        ------
        AnnotationError
            If that fails.
        """
        if self._autosave is not None:
            self._autosave.close()

    def _show(self, text: str) -> None:
        from napari.utils.notifications import show_error

        show_error(text)
