"""Which channels of each image a model sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, proxy

from napari.layers import Image as ImageLayer

from napari_unet.gui.image.source import channel_on_screen, lie_alike, pixels_of
from napari_unet.gui.image.target import MARK
from napari_unet.images import join_channels

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations
    from napari_unet.images import Image

    Layers = tuple[ImageLayer, ...]


@dataclass(frozen=True)
class ChannelChoice:
    """What models see of an image.

    Attributes
    ----------
    channels : tuple of int
        Counted from 0; none stands for all.
    layers : tuple of napari.layers.Image
        The layers that are its channels, if they are several.
    """

    channels: tuple[int, ...] = ()
    layers: Layers = ()

    def holds(self, part: ChannelChoice) -> bool:
        """Whether models see a channel, or a layer as a channel, among others."""
        return {*part.channels} <= {*self.channels} and {*part.layers} <= {*self.layers}


class Channels:
    """The channels that labels belong to, that the user has chosen, or on screen.

    Many readers open each channel of a file as a layer. So a layer without channels may
    be seen together with others that lie over it.

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
        self._chosen: WeakKeyDictionary[ImageLayer, tuple[int, ...]]
        self._chosen = WeakKeyDictionary()
        self._joined: WeakKeyDictionary[ImageLayer, Layers] = WeakKeyDictionary()
        # How many layers of one file the user has joined last, 0 for none: those of the
        # next file are joined alike.
        self._of_a_file = 0
        # The image that layers were joined to last, and the arrays that it is made of.
        self._images: WeakKeyDictionary[ImageLayer, tuple[Image, list[Any]]]
        self._images = WeakKeyDictionary()
        annotations.changed.connect(self._settle)
        annotations.layers_removed.connect(self._forget_gone)

    def choose(self, layer: ImageLayer, seen: ChannelChoice) -> None:
        """Let models see so much of the image in a layer."""
        self._chosen[layer] = seen.channels
        self._joined[layer] = seen.layers
        self._of_a_file = len(seen.layers) if _file_of(seen.layers) else 0
        annotated = self._annotations.of(layer)
        if annotated is not None:
            annotated.annotation.channels = ()
            self._settle(annotated)

    def seen(self, layer: ImageLayer, image: Image) -> ChannelChoice:
        """Return what models see of a layer, opened as `image`."""
        return ChannelChoice(self.of(layer, image), self.joined(layer, image))

    def of(self, layer: ImageLayer, image: Image) -> tuple[int, ...]:
        """Return the channels of a layer, opened as `image`; none stands for all."""
        if image.n_channels == 1:
            return ()
        on_screen = channel_on_screen(layer, image, self._viewer.dims.point)
        channels = self._chosen.get(layer, on_screen)
        annotated = self._annotations.of(layer)
        if annotated is not None and annotated.annotation.channels:
            channels = annotated.annotation.channels
        # The axes may have been named anew, or the file have other channels now.
        if any(channel >= image.n_channels for channel in channels):
            return on_screen
        return channels if len(channels) < image.n_channels else ()

    def image(self, layer: ImageLayer, image: Image) -> Image:
        """Return what models see of a layer opened as `image`: it or joined layers.

        It is the same object for as long as the layers show the same arrays.
        """
        layers = self.joined(layer, image)
        if not layers:
            return image
        parts = [image.data if x is layer else pixels_of(x) for x in layers]
        seen, before = self._images.get(layer, (image, []))
        same = list(map(id, parts)) == list(map(id, before))
        if not same or (seen.axes, seen.name) != (f"{image.axes}C", image.name):
            seen = join_channels(image, parts)
            self._images[layer] = seen, parts
        return seen

    def joined(self, layer: ImageLayer, image: Image) -> Layers:
        """Return the layers that are channels of an image; none if it is seen alone."""
        if "C" in image.axes:
            return ()
        if layer in self._joined:
            chosen = self._joined[layer]
            others = (pixels_of(x).shape for x in chosen if x is not layer)
            return chosen if {*others} <= {image.data.shape} else ()
        annotated = self._annotations.of(layer)
        labelled = annotated.annotation.channels if annotated else ()
        # Labels that are gone on with were painted on so many; or the layers of the
        # file before are seen as one.
        count = len(labelled) or self._of_a_file
        alike = self.alike(layer, image) if count > 1 else ()
        if len(alike) != count or not (labelled or _file_of(alike)):
            return ()
        if labelled:
            # Also when others come or these go.
            self._joined[layer] = alike
        return alike

    def missing(self, layer: ImageLayer, image: Image) -> int:
        """Return on how many channels an image was labelled, if they are not there."""
        annotated = self._annotations.of(layer)
        count = len(annotated.annotation.channels) if annotated else 0
        there = len(self.joined(layer, image)) or image.n_channels
        return count if count > there else 0

    def joins(self, layer: ImageLayer, image: Image) -> list[Layers]:
        """Return which layers could be the channels of one image, opened as `image`.

        In each are the layer itself and others of its size and place, from its file if
        any are, in the order of the viewer's layers, the lowest first.
        """
        alike = self.alike(layer, image)
        pairs = (tuple(x for x in alike if x in (layer, y)) for y in alike)
        chosen = self.joined(layer, image)
        # What was chosen keeps its order when layers are moved.
        joins = (
            chosen if set(join) == set(chosen) else join
            for join in (*pairs, alike, chosen)
        )
        return [join for join in dict.fromkeys(joins) if len(join) > 1]

    def alike(self, layer: ImageLayer, image: Image) -> Layers:
        """Return the layers that could be channels of one image, itself among them."""
        if "C" in image.axes:
            return ()
        alike = [x for x in self._viewer.layers if _is_plain(x) and lie_alike(x, layer)]
        of_file = [x for x in alike if _file_of((x, layer))]
        return tuple(of_file if len(of_file) > 1 else alike)

    def _forget_gone(self) -> None:
        """Let go of layers that nobody sees any more: they hold each other."""
        for layer in list(self._joined):
            if not self._annotations.shows(layer):
                del self._joined[layer]

    def _settle(self, annotated: AnnotatedImage, regions: Any = None) -> None:
        """Let what is labelled stay with the channels that it was painted on."""
        target, annotation = annotated.target, annotated.annotation
        if not annotation.channels and annotation.version:
            channels = self.of(target.layer, target.image)
            seen = self.image(target.layer, target.image)
            annotation.channels = channels or tuple(range(seen.n_channels))
            self._annotations.keep(annotated)


def _file_of(layers: Layers) -> str | None:
    """Return the file that all the layers are from, None if there is no such file."""
    paths = {layer.source.path for layer in layers}
    return paths.pop() if len(paths) == 1 else None


def _is_plain(layer: Layer) -> bool:
    """Whether a layer is a grey image of the user's."""
    image = isinstance(layer, ImageLayer) and MARK not in layer.metadata
    return image and not layer.rgb
