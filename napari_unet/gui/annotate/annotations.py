"""Everything that is labelled in one viewer: the images and their classes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import proxy

from psygnal import Signal

from napari_unet.annotation import ClassScheme, remove_class
from napari_unet.annotation.join import join_schemes, map_classes
from napari_unet.annotation.key import free_key
from napari_unet.errors import UnetError
from napari_unet.gui.annotate.annotated import AnnotatedImage
from napari_unet.gui.annotate.keeping import Keeping

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer
    from napari.layers import Labels
    from napari.viewer import Viewer

    from napari_unet.annotation import Annotation
    from napari_unet.gui.image.target import Target
    from napari_unet.images import Region


class Annotations:
    """The annotated images of a viewer, which share their classes.

    Attributes
    ----------
    images : list of AnnotatedImage
        Those with an annotation.
    scheme : ClassScheme
        The classes to label.
    chosen : int
        The class that is painted, 0 for background.
    keeping : Keeping
        The disk.
    changed : Signal
        An image, and the blocks of it in which labels have changed.
    scheme_changed, chosen_changed : Signal
        The classes have changed, or which one is painted.
    images_changed : Signal
        An image is new, or gone.
    layers_removed : Signal
        A layer of the viewer is gone, of an annotated image or not.
    """

    changed = Signal(AnnotatedImage, list)
    scheme_changed = Signal()
    chosen_changed = Signal()
    images_changed = Signal()
    layers_removed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        self.images: list[AnnotatedImage] = []
        self.scheme = ClassScheme.named("object")
        self.chosen = 1
        self.keeping = Keeping()
        # The session outlives a viewer that it does not hold on to.
        self._viewer = proxy(viewer)
        self._edited = False
        viewer.layers.events.removed.connect(self._removed)

    def of(self, layer: ImageLayer | None) -> AnnotatedImage | None:
        """Return the annotation of an image layer, if it has one."""
        return next((i for i in self.images if i.target.layer is layer), None)

    def shows(self, layer: ImageLayer) -> bool:
        """Whether an image, or what is labelled in it, is in the viewer."""
        return layer in self._viewer.layers or self.of(layer) is not None

    def add(
        self, target: Target, key: str, annotation: Annotation | None = None
    ) -> AnnotatedImage:
        """Label an image from now on.

        Parameters
        ----------
        target : Target
            The image and its layer.
        key : str
            Under which labels are kept: `Kept.new_key` of what was looked up.
        annotation : Annotation, optional
            What is labelled already.
        """
        key = free_key(key, {i.key for i in self.images})
        image = AnnotatedImage(self._viewer, target, key, self.scheme, annotation)
        image.choose(self.chosen)
        image.changed.connect(lambda regions: self._changed(image, regions))
        self.images.append(image)
        self.images_changed.emit()
        return image

    def scribble(self, image: AnnotatedImage) -> None:
        """Let the user paint scribbles on an image."""
        new = image.scribbles is None
        layer = image.scribble_layer.show()
        if new:
            layer.selected_label = self.chosen + 1
            layer.events.selected_label.connect(self._follow_label)

    def suggest(self, scheme: ClassScheme) -> None:
        """Take these classes if the user has not chosen or labelled any yet."""
        if not self._edited and not self.images:
            self._set_scheme(scheme)

    def set_scheme(self, scheme: ClassScheme) -> None:
        """Take the classes as the user has named, coloured or added them.

        To remove one there is `remove_class`.
        """
        self._edited = True
        self._set_scheme(scheme)

    def adopt_classes(self, scheme: ClassScheme, annotation: Annotation) -> None:
        """Take the classes of labels that were made with others, and map the labels.

        Classes that are there stay where they are, if the user has named or used them.
        """
        if self.images or self._edited:
            scheme, where = join_schemes(self.scheme, scheme)
            map_classes(annotation, where)
        self._set_scheme(scheme)

    def choose(self, index: int) -> None:
        """Paint the class `index` from now on."""
        self.chosen = index
        for image in self.images:
            image.choose(index)
        self.chosen_changed.emit()

    def labelled(self, index: int) -> tuple[int, int, int]:
        """Return how much of a class is labelled.

        Returns
        -------
        pixels, objects : int
            Labelled pixels; objects, also those in regions that nobody accepted.
        images : int
            How many have any of them.
        """
        self.flush()
        labels = [i.annotation for i in self.images]
        pixels = [int(a.counts(index + 1)[index]) for a in labels]
        objects = [
            sum(a.object_classes.get(i, 1) == index for i in a.ids()) for a in labels
        ]
        images = sum(p + o > 0 for p, o in zip(pixels, objects, strict=True))
        return sum(pixels), sum(objects), images

    def remove_class(self, index: int, into: int | None = None) -> None:
        """Remove a class; see `napari_unet.annotation.remove_class`."""
        self.flush()
        self._edited = True
        scheme = self.scheme.remove(index)
        before = []
        for image in self.images:
            before.append(image.annotation.version)
            remove_class(image.annotation, index, into)
        # What is painted stays the same class, unless that is the one that goes.
        self.choose(min(self.chosen - (self.chosen > index), len(scheme) - 1))
        self._set_scheme(scheme)
        for image, version in zip(self.images, before, strict=True):
            image.written(version)

    def keep(self, image: AnnotatedImage) -> None:
        """Have the labels of an image saved soon."""
        self.keeping.save(image, self.scheme)

    def tell_of_all_in(self, image: AnnotatedImage) -> None:
        """Tell of all labels of an image as if they were new."""
        self._changed(image, image.annotation.changed_since(0))

    def is_gone(self, image: AnnotatedImage) -> bool:
        """Whether the layer of an image is no longer in the viewer."""
        return image.target.layer not in self._viewer.layers

    def flush(self) -> None:
        """Take over strokes of the last moment."""
        for image in self.images:
            image.flush()

    def close(self) -> None:
        """Save everything; the viewer is going."""
        self.flush()
        try:
            self.keeping.close()
        except UnetError:
            logging.getLogger(__name__).exception("labels were not saved")
        self.images.clear()

    def _follow_label(self, event: Any) -> None:
        """Paint the class of the label that was chosen in napari's own controls."""
        layer: Labels = event.source
        index = int(layer.selected_label) - 1
        if index >= len(self.scheme):
            from napari.utils.notifications import show_info

            layer.selected_label = self.chosen + 1
            show_info("There is no class for this label yet. Press Add class first.")
        elif index >= 0 and index != self.chosen:
            self.choose(index)

    def _set_scheme(self, scheme: ClassScheme) -> None:
        self.scheme = scheme
        self.chosen = min(self.chosen, len(scheme) - 1)
        for image in self.images:
            image.set_scheme(scheme)
            self.keep(image)
        self.scheme_changed.emit()

    def _changed(self, image: AnnotatedImage, regions: list[Region]) -> None:
        self.keep(image)
        self.changed.emit(image, regions)

    def _removed(self, event: Any) -> None:
        """Keep what was painted when a layer goes."""
        for image in self.images:
            image.forget(event.value)
        self._drop_gone()
        self.layers_removed.emit()

    def _drop_gone(self) -> None:
        """Follow images no longer that have no layer left."""
        for image in list(self.images):
            if self.is_gone(image) and not image.layers:
                self.images.remove(image)
                image.close()
                self.images_changed.emit()
