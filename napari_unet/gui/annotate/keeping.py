"""Keeps labels on the disk, without a pause in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_unet.annotation import AnnotationStore, Autosave

if TYPE_CHECKING:
    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.annotate.annotated import AnnotatedImage


class Keeping(QObject):
    """The disk, as far as the images of a viewer are concerned.

    Parameters
    ----------
    store : AnnotationStore, optional
        Where labels are kept; the user's own if not given.

    Attributes
    ----------
    store : AnnotationStore
    """

    _failed = Signal(str)

    def __init__(self, store: AnnotationStore | None = None) -> None:
        super().__init__()
        self.store = store or AnnotationStore()
        self._autosave: Autosave | None = None
        # Brings what the saving thread has to say to the main thread.
        self._failed.connect(self._show)

    @property
    def unsaved(self) -> bool:
        """Whether something is not on the disk yet."""
        return self._autosave is not None and self._autosave.unsaved

    def save(self, image: AnnotatedImage, scheme: ClassScheme) -> None:
        """Have the labels of an image saved soon, if there are any."""
        if not image.annotation.version:
            return
        if self._autosave is None:
            self._autosave = Autosave(
                self.store, failed=lambda error: self._failed.emit(str(error))
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
