"""The images of a viewer as the engine is told of them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_unet.annotation import Annotation
from napari_unet.errors import ImageError, TrainingError
from napari_unet.gui.train.subject import Subject
from napari_unet.images import choose_channels
from napari_unet.models import Normalisation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari.layers import Image as ImageLayer

    from napari_unet.annotation import Blocks
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations
    from napari_unet.gui.image.channels import Channels
    from napari_unet.gui.image.target import Target
    from napari_unet.models import ModelSpec


class Subjects:
    """Which images training learns from, and which channels of them.

    Parameters
    ----------
    annotations : Annotations
        What is labelled.
    chosen : Channels
        Which channels of the images the model sees.

    Attributes
    ----------
    channels : int
        How many the model takes.
    normalisation : Normalisation
        Which of the intensities it takes for 0 and 1.
    """

    def __init__(self, annotations: Annotations, chosen: Channels) -> None:
        self._annotations = annotations
        self._chosen = chosen
        self._numbers = itertools.count(1)
        self._keys: WeakKeyDictionary[ImageLayer, str] = WeakKeyDictionary()
        self.channels = 1
        self.normalisation = Normalisation()

    def suit(self, base: ModelSpec | None) -> None:
        """Choose what a new model takes, by its base and the labelled images."""
        self.normalisation = base.normalisation if base else Normalisation()
        most = max((self._count(i.target) for i in self.labelled()), default=1)
        self.channels = base.channels if most == 1 and base is not None else most

    def labelled(self) -> list[AnnotatedImage]:
        """Return the images in which something is labelled."""
        return [i for i in self._annotations.images if i.annotation.labelled()]

    def key(self, layer: ImageLayer) -> str:
        """Return what the engine calls an image."""
        if layer not in self._keys:
            self._keys[layer] = f"image-{next(self._numbers)}"
        return self._keys[layer]

    def take_gone(self) -> list[str]:
        """Return what the engine calls images that are gone, and forget them."""
        gone = [layer for layer in self._keys if not self._annotations.shows(layer)]
        return [self._keys.pop(layer) for layer in gone]

    def take_split(self, key: str, split: Blocks) -> None:
        """Keep what has been decided on the labels of an image, if it is still there.

        Parameters
        ----------
        key : str
            What the engine calls the image.
        split : Blocks
            Of an `Annotation`, for good: nobody writes to it any more.
        """
        for image in self._annotations.images:
            shape = image.annotation.shape
            if self._keys.get(image.target.layer) == key and split.shape == shape:
                image.annotation.follow_split(split)
                self._annotations.keep(image)

    def of(
        self,
        target: Target,
        model: ModelSpec | None = None,
        planes: Sequence[Mapping[str, int]] = (),
    ) -> Subject:
        """Return an image as it is now, with its labels if it has any.

        Parameters
        ----------
        target : Target
            The image and its layer.
        model : ModelSpec, optional
            What is to see it; what is being trained if absent.
        planes : sequence of mapping
            Those that are looked at, with or without labels.

        Raises
        ------
        ImageError
            If its channels do not suit the model, or it has another size now than its
            labels.
        """
        labels = Annotation.of(target.image)
        annotated = self._annotations.of(target.layer)
        if annotated is not None:
            if annotated.annotation.shape != labels.shape:
                raise ImageError(
                    f"The image '{target.layer.name}' has another size now than its "
                    "labels. Training goes on with the pixels that it had. Give the "
                    "image its size back to see a preview."
                )
            labels = annotated.annotation
        channels, normalisation = self.channels, self.normalisation
        if model is not None:
            channels, normalisation = model.channels, model.normalisation
        image = self._chosen.image(target.layer, target.image)
        return Subject(
            self.key(target.layer),
            image,
            choose_channels(image, channels, self._seen(target)),
            normalisation,
            labels.snapshot(),
            tuple(planes),
        )

    def check_strokes(self) -> None:
        """Say what to paint if there is too little to learn from.

        Raises
        ------
        TrainingError
            With what to do.
        """
        scheme = self._annotations.scheme
        counts = [i.annotation.counts(len(scheme)) for i in self.labelled()]
        painted = [
            name for c, name in enumerate(scheme.names) if any(n[c] for n in counts)
        ]
        others = [f"'{name}'" for name in scheme.names[1:]] or ["another class"]
        if not painted:
            raise TrainingError(
                "Nothing is labelled yet. Press Annotate and paint a few strokes on "
                f"the background and a few on {' and '.join(others)}, "
                "then press Start."
            )
        if len(painted) == 1:
            missing = "the background" if painted[0] != scheme.names[0] else others[0]
            raise TrainingError(
                f"Only '{painted[0]}' is labelled, so there is nothing to tell apart. "
                f"Paint a few strokes on {missing} too, then press Start."
            )

    def _seen(self, target: Target) -> tuple[int, ...]:
        return self._chosen.of(target.layer, target.image)

    def _count(self, target: Target) -> int:
        """Return how many channels of an image the model is to see."""
        if seen := self._seen(target):
            return len(seen)
        image = self._chosen.image(target.layer, target.image)
        return 3 if image.rgb else image.n_channels
