"""Labels of an earlier time come back to their image."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import proxy

from napari.layers import Image as ImageLayer
from superqt.utils import create_worker

from napari_unet.errors import ImageError
from napari_unet.gui.annotate.kept import load_kept, look_up
from napari_unet.gui.image.source import pixels_of
from napari_unet.images import image_from_array

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.annotation import Annotation, ClassScheme
    from napari_unet.gui.annotate.annotations import Annotations
    from napari_unet.gui.annotate.kept import Kept
    from napari_unet.gui.image.target import Target
    from napari_unet.images import Image


class Restoring:
    """Finds what is labelled in an image already, on the disk or without its layer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the images are.
    annotations : Annotations
        To which the labels come back.
    """

    def __init__(self, viewer: Viewer, annotations: Annotations) -> None:
        self._viewer = proxy(viewer)
        self._annotations = annotations

    def look_up(self, target: Target) -> Any:
        """Look on the disk for labels of an image, in another thread.

        Labels in the viewer whose image was removed are laid over it.

        Returns
        -------
        superqt.utils.FunctionWorker
            To be started. Its `returned` gives a `Kept`.
        """
        images, gone = self._annotations.images, self._annotations.is_gone
        worker = create_worker(
            look_up,
            self._annotations.keeping.store,
            target.image,
            target.layer.source.path,
            {i.key: i.name for i in images if not gone(i)},
            self._beside(target.layer),
            _start_thread=False,
        )
        worker.returned.connect(lambda kept: self._take_back(target, kept))
        return worker

    def restore(self, target: Target, kept: Kept) -> Any:
        """Go on with what is kept of an image, read in another thread.

        Returns
        -------
        superqt.utils.FunctionWorker
            To be started. Its `returned` gives a text if it fails.
        """

        def show(loaded: Any) -> None:
            if not isinstance(loaded, str):
                self._show(target, kept.new_key, *loaded)

        store = self._annotations.keeping.store
        worker = create_worker(
            load_kept, store, kept.key, target.image, _start_thread=False
        )
        worker.returned.connect(show)
        return worker

    def _beside(self, image: ImageLayer) -> list[Image]:
        """Return the other images from the file of an image, such as its channels."""
        images = []
        for layer in self._viewer.layers:
            same_file = layer.source.path == image.source.path is not None
            if same_file and isinstance(layer, ImageLayer) and layer is not image:
                # What cannot be read has no labels.
                with suppress(ImageError):
                    images.append(image_from_array(pixels_of(layer)))
        return images

    def _take_back(self, target: Target, kept: Kept) -> None:
        """Lay labels whose image was removed over it when it is opened again."""
        annotations = self._annotations
        for image in annotations.images:
            if (
                image.key == kept.key
                and annotations.is_gone(image)
                and not annotations.of(target.layer)
            ):
                if image.move_to(target):
                    image.key = kept.new_key
                    annotations.images_changed.emit()
                    # Training has forgotten the layer that was removed.
                    annotations.tell_of_all_in(image)
                return

    def _show(
        self, target: Target, key: str, annotation: Annotation, saved: ClassScheme
    ) -> None:
        """Show labels that have been read, unless the image has some by now."""
        annotations = self._annotations
        if annotations.of(target.layer) or any(
            i.key == key for i in annotations.images
        ):
            return
        annotations.adopt_classes(saved, annotation)
        image = annotations.add(target, key, annotation)
        if annotation.ids():
            image.object_layer.show()
        annotations.scribble(image)
        image.show_accepted()
        annotations.tell_of_all_in(image)
