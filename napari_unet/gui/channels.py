"""Which channel of each image a model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, proxy

from napari_unet.gui.source import channel_on_screen

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer
    from napari.viewer import Viewer

    from napari_unet.gui.annotated import AnnotatedImage
    from napari_unet.gui.annotations import Annotations
    from napari_unet.images import Image


class Channels:
    """The channels that labels belong to, that the user has chosen, or on screen.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the images are.
    annotations : Annotations
        What is labelled in them: the first label decides on the channel, and it is
        kept with the labels.
    """

    def __init__(self, viewer: Viewer, annotations: Annotations) -> None:
        self._viewer = proxy(viewer)
        self._annotations = annotations
        self._chosen: WeakKeyDictionary[ImageLayer, int | None] = WeakKeyDictionary()
        annotations.changed.connect(self._settle)

    def choose(self, layer: ImageLayer, channel: int | None) -> None:
        """Let models see one channel of an image, or all if None."""
        self._chosen[layer] = channel
        annotated = self._annotations.of(layer)
        if annotated is not None:
            annotated.annotation.channels = ()
            self._settle(annotated)

    def of(self, layer: ImageLayer, image: Image) -> int | None:
        """Return the channel of a layer, opened as `image`; None for all of them."""
        if image.n_channels == 1:
            return None
        on_screen = channel_on_screen(layer, image, self._viewer.dims.point)
        channel = self._chosen.get(layer, on_screen)
        annotated = self._annotations.of(layer)
        if annotated is not None and annotated.annotation.channels:
            first, *others = annotated.annotation.channels
            channel = None if others else first
        # The axes may have been named anew, or the file have other channels now.
        lost = channel is not None and channel >= image.n_channels
        return on_screen if lost else channel

    def _settle(self, annotated: AnnotatedImage, regions: Any = None) -> None:
        """Let what is labelled stay with the channel that it was painted on."""
        target, annotation = annotated.target, annotated.annotation
        if not annotation.channels and annotation.version:
            channel = self.of(target.layer, target.image)
            everything = tuple(range(target.image.n_channels))
            annotation.channels = everything if channel is None else (channel,)
            self._annotations.keep(annotated)
