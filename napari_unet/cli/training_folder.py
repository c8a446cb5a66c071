"""A training set from folders of images, masks and strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.cli.outputs import stem_of
from napari_unet.errors import ImageError, TrainingError
from napari_unet.images import (
    choose_channels,
    measure_intensity,
    open_image,
    read_labels,
)
from napari_unet.models import ModelSpec, adapt, build, load_model
from napari_unet.training import TrainingImage, TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

    from napari_unet.images import Image
    from napari_unet.models import Model


def read_training_folder(
    images: Path,
    labels: Path | None,
    scribbles: Path | None,
    base: str,
    classes: tuple[str, ...] | None,
    name: str,
    channel: int | None,
    seed: int,
) -> tuple[Model, TrainingSet]:
    """Pair images with the labels of the same name; make the model to train.

    Parameters
    ----------
    images, labels, scribbles : Path
        Folders. An image without labels is left out.
    base : str
        A model's name or folder, or "none" for random weights.
    classes : tuple of str or None
        The classes' names where masks hold classes and not objects.
    name : str
        Of the new model.
    channel : int or None
        The channel of the images to use.
    seed : int
        Of weights and crops.

    Raises
    ------
    TrainingError, ImageError, AnnotationError, ModelError
        What is missing or does not fit.
    """
    files = _by_stem(images, "--images")
    masks = _by_stem(labels, "--labels") if labels else {}
    strokes = _by_stem(scribbles, "--scribbles") if scribbles else {}
    if not masks and not strokes:
        raise TrainingError(
            "There are no labels to learn from. Give a folder of masks with --labels, "
            "of strokes with --scribbles, or both."
        )
    pairs = sorted(files.keys() & (masks.keys() | strokes.keys()))
    if not pairs:
        raise TrainingError(
            f"No image in '{images}' has the name of a label file. Name each label "
            "file like its image, e.g. a.png and a.tif."
        )
    opened = {stem: open_image(files[stem]) for stem in pairs}
    model = _model(base, classes, name, opened[pairs[0]], channel, seed)
    spec = model.spec
    data = TrainingSet(channels=spec.channels, n_classes=len(spec.classes), seed=seed)
    for stem, image in opened.items():
        annotation = Annotation.of(image)
        if stem in masks:
            _take_mask(annotation, image, masks[stem], objects=classes is None)
        if stem in strokes:
            _take_strokes(annotation, image, strokes[stem], len(spec.classes))
        channels = choose_channels(image, spec.channels, channel)
        n = spec.normalisation
        intensity = measure_intensity(image, channels, n.low, n.high)
        data.add(TrainingImage(stem, image, channels, intensity, annotation))
    return model, data


def _model(
    base: str,
    classes: tuple[str, ...] | None,
    name: str,
    first: Image,
    channel: int | None,
    seed: int,
) -> Model:
    if base == "none":
        scheme = ClassScheme.named(*(classes or ("object",)))
        channels = 1 if channel is not None or first.n_channels == 1 else 3
        return build(ModelSpec(name=name, classes=scheme, channels=channels), seed=seed)
    model = load_model(base)
    scheme = ClassScheme.named(*classes) if classes else model.spec.classes
    return adapt(
        model, classes=scheme, channels=model.spec.channels, name=name, seed=seed
    )


def _take_mask(
    annotation: Annotation, image: Image, path: Path, *, objects: bool
) -> None:
    """Take a complete mask in: numbered objects, or the class of each pixel."""
    mask = read_labels(path, annotation.shape)
    for plane in image.planes():
        whole = image.whole(plane)
        values = mask[annotation.scribbles.index(whole)]
        if objects:
            annotation.write_objects(whole, values)
            annotation.verify(whole)
        else:
            annotation.write_scribbles(whole, values.astype(np.int64) + 1)


def _take_strokes(
    annotation: Annotation, image: Image, path: Path, n_classes: int
) -> None:
    strokes = read_labels(path, annotation.shape)
    if strokes.max(initial=0) > n_classes:
        raise TrainingError(
            f"'{path}' has strokes of the value {strokes.max()}; with "
            f"{n_classes - 1} classes the largest is {n_classes}. Name all classes "
            "with --classes, or correct the file."
        )
    for plane in image.planes():
        whole = image.whole(plane)
        annotation.write_scribbles(whole, strokes[annotation.scribbles.index(whole)])


def _by_stem(folder: Path, option: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise ImageError(
            f"{option}: there is no folder '{folder}'. Give the folder that holds the "
            "files."
        )
    return {
        stem_of(path): path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    }
