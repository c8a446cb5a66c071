"""A training set from folders of images, masks and strokes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation import Annotation
from napari_unet.annotation.annotation import HELD_OUT
from napari_unet.cli.label_files import MASKS, take_mask, take_strokes
from napari_unet.cli.pairs import by_stem, unpaired
from napari_unet.cli.split_table import read_split
from napari_unet.errors import TrainingError
from napari_unet.images import choose_channels
from napari_unet.images.shelf import Shelf
from napari_unet.training import TrainingImage, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from napari_unet.images import Image
    from napari_unet.models import Model, ModelSpec


@dataclass(frozen=True)
class TrainingFolder:
    """Images and their label files, by name.

    Attributes
    ----------
    images : dict of str to Image
        Those that have labels.
    masks, strokes : dict of str to Path
        Complete masks, and strokes.
    parts : dict of str to int or None
        Which images are learnt from and which are held out; None leaves it to chance.
    """

    images: dict[str, Image]
    masks: dict[str, Path]
    strokes: dict[str, Path]
    parts: dict[str, int] | None

    @property
    def first(self) -> Image:
        """One of the images."""
        return next(iter(self.images.values()))

    @property
    def pixel_size(self) -> float | None:
        """Micrometres a pixel; None where the images do not say the same."""
        sizes = {
            float(f"{image.pixel_size.get(axis, 0):.3g}")
            for image in self.images.values()
            for axis in "YX"
        }
        return sizes.pop() or None if len(sizes) == 1 else None

    def _notes(self) -> dict[str, list[str]]:
        """Return what was guessed of the images, and of which."""
        notes: dict[str, list[str]] = {}
        for stem, image in self.images.items():
            for note in image.notes:
                notes.setdefault(note, []).append(stem)
        return notes

    def noted_in(self, model: Model, *, objects: bool) -> Model:
        """Return the model with notes on the images and masks that it learns from."""
        notes: dict[str, object] = {"pixel_size": self.pixel_size}
        if self.masks:
            masks = {MASKS: "objects" if objects else "classes"}
            notes["provenance"] = {**model.spec.provenance, **masks}
        return replace(model, spec=model.spec.model_copy(update=notes))

    def training_set(
        self,
        spec: ModelSpec,
        *,
        channels: tuple[int, ...],
        objects: bool,
        seed: int,
        came: Iterable[Iterable[str]] = (),
        tell: Callable[[str], None] = lambda _: None,
    ) -> TrainingSet:
        """Return the images with their labels, for a model of `spec`.

        Parameters
        ----------
        spec : ModelSpec
            Of the model to train.
        channels : tuple of int
            The channels of the images to use; none takes all.
        objects : bool
            Whether masks hold objects, and not the class of each pixel.
        seed : int
            Of crops.
        came : iterable of iterables of str
            Names of images that a training had before, in the order in which they came.
        tell : callable
            Gets what the user should know.

        Raises
        ------
        TrainingError, ImageError, AnnotationError
            What does not fit.
        """
        n_classes = len(spec.classes)
        found: dict[str, TrainingImage] = {}
        black_and_white = []
        for note, stems in self._notes().items():
            more = f" and {len(stems) - 1} more" if len(stems) > 1 else ""
            tell(f"'{stems[0]}'{more}: {note}")
        for stem, image in self.images.items():
            annotation = Annotation.of(image)
            if stem in self.masks and take_mask(
                annotation,
                image,
                self.masks[stem],
                objects=objects,
                n_classes=n_classes,
            ):
                black_and_white.append(stem)
            if stem in self.strokes:
                take_strokes(annotation, image, self.strokes[stem], n_classes)
            if self.parts is not None:
                for plane in image.planes():
                    part = np.full(image.plane_shape, self.parts[stem], np.uint8)
                    annotation.assign(image.whole(plane), part)
            seen = choose_channels(image, spec.channels, channels)
            intensity = spec.normalisation.measure(image, seen)
            found[stem] = TrainingImage(stem, image, seen, intensity, annotation)
        if self.parts is not None and HELD_OUT not in map(self.parts.get, self.images):
            tell(
                "No image is held out: none of them has val in the table. So nothing "
                "tells which checkpoint is the best, and the last one is taken."
            )
        if black_and_white:
            tell(
                f"Masks that are black and white: {len(black_and_white)}, such as that "
                f"of '{black_and_white[0]}'. Each connected area is taken for an "
                "object. Where cells touch, number them, or name the class with "
                "--classes: then the masks say no more than where it is."
            )
        data = TrainingSet(spec, seed, decided=self.parts is not None)
        for names in came:
            data.add(*(found.pop(name) for name in names if name in found))
        data.add(*found.values())
        return data


def open_training_folder(
    images: Path,
    labels: Path | None,
    scribbles: Path | None,
    split: Path | None,
    axes: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> TrainingFolder:
    """Find the label files of the images in a folder.

    Parameters
    ----------
    images, labels, scribbles : Path
        Folders. An image without labels is left out.
    split : Path or None
        A table, see `read_split`.
    axes : str, optional
        Of the images, see `open_image`.
    tell : callable
        Gets a line on names that may be misspelt.

    Raises
    ------
    TrainingError, ImageError
        What is missing or cannot be read.
    """
    files = by_stem(images, "--images")
    masks = by_stem(labels, "--labels") if labels else {}
    strokes = by_stem(scribbles, "--scribbles") if scribbles else {}
    if not masks and not strokes:
        raise TrainingError(
            "There are no labels to learn from. Give a folder of masks with --labels, "
            "of strokes with --scribbles, or both."
        )
    stems = sorted(files.keys() & (masks.keys() | strokes.keys()))
    parts = read_split(split) if split else None
    if parts is not None:
        stems = [stem for stem in stems if stem in parts]
    if not stems:
        raise TrainingError(
            f"No image in '{images}' has the name of a label file"
            + (f" and a row with train or val in '{split}'" if split else "")
            + ". Name each label file like its image, e.g. a.png and a.tif"
            + (", and write a into the column id." if split else ".")
        )
    if note := unpaired(files, {*masks, *strokes}):
        tell(note)
    shelf = Shelf()
    opened = {stem: shelf.image(files[stem], axes) for stem in stems}
    return TrainingFolder(opened, masks, strokes, parts)
