"""Predictions scored against masks, image by image and together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.annotation import classes_of_mask, objects_of_mask
from napari_unet.errors import AnnotationError, ImageError
from napari_unet.images import Image, open_image, read_labels_of
from napari_unet.inference import Cancelled, Predicted, Warned, predict
from napari_unet.inference.volumes import volumes
from napari_unet.metrics import (
    THRESHOLDS,
    ObjectScores,
    confusion,
    dice,
    iou,
    score_objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_unet.inference import PredictConfig
    from napari_unet.models import Model

# Worst images that are listed, and shown in the report.
WORST = 12
BLACK_AND_WHITE = (
    "Its mask is black and white: each connected area is taken for an object. Where "
    "cells touch, number them, or compare classes with --semantic."
)
LIKE_CLASSES = (
    "Its mask holds no number that is not a class of the model. If these are classes "
    "and not objects, add --semantic."
)


@dataclass(frozen=True, eq=False)
class Scene:
    """What a score is of.

    Attributes
    ----------
    image : Image
    truth, found : ndarray
        ``(..., Y, X)``: objects, or classes where the masks hold classes.
    """

    image: Image
    truth: NDArray[np.integer]
    found: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of one image.

    Attributes
    ----------
    name : str
    classes : tuple of str
        Background first.
    counts : ndarray
        ``(n_classes, n_classes)`` from `metrics.confusion`.
    objects : ObjectScores or None
        None where the masks hold classes.
    notes : tuple of str
        What the user should know.
    """

    name: str
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    objects: ObjectScores | None
    notes: tuple[str, ...]

    @property
    def mark(self) -> float:
        """What images are sorted by: AP at 0.5, or the mean Dice of the classes."""
        if self.objects is not None:
            return self.objects.ap["0.50"]
        marks = dice(self.counts)[1:]
        return 1.0 if np.isnan(marks).all() else float(np.nanmean(marks))


class Evaluation:
    """Scores a model on one image after the other.

    Parameters
    ----------
    model : Model
    config : PredictConfig
    semantic : bool
        Whether the masks hold classes and not objects.
    axes : str, optional
        Of the images, see `open_image`.
    cancel : callable
        Asked before each tile; True ends with KeyboardInterrupt.
    """

    def __init__(
        self,
        model: Model,
        config: PredictConfig,
        *,
        semantic: bool,
        axes: str | None = None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> None:
        from napari_unet.inference.prepare import prepare
        from napari_unet.nets.choice import choose_device

        self._model = model
        self._config = replace(config, instances="none") if semantic else config
        device, _ = choose_device(config.device)
        self._prepared = prepare(model.net, device, flips=config.flips)
        self._semantic = semantic
        self._axes = axes
        self._cancel = cancel

    def score(self, name: str, path: Path, mask: Path) -> tuple[Scored, Scene]:
        """Predict the image at `path` and compare with `mask`.

        Raises
        ------
        ImageError
            If a file cannot be read, or the two do not fit.
        """
        image = open_image(path, self._axes)
        read = read_labels_of(image, mask)
        notes = list(image.notes)
        truth: NDArray[np.integer]
        if self._semantic:
            truth = self._classes(read, mask)
        else:
            truth, black_and_white = objects_of_mask(read, f"{image.stack_axes}YX")
            if black_and_white:
                notes.append(BLACK_AND_WHITE)
            elif 1 < read.max() < len(self._model.spec.classes):
                notes.append(LIKE_CLASSES)
        for event in predict(
            self._model,
            image,
            config=self._config,
            cancel=self._cancel,
            prepared=self._prepared,
        ):
            match event:
                case Warned():
                    notes.append(event.text)
                case Predicted():
                    labels = event.labels
                case Cancelled():
                    raise KeyboardInterrupt
        semantic, found = labels.semantic, labels.instances
        if found is None:
            names = self._model.spec.classes.names
            counts = confusion(truth, semantic, len(names))
            scored = Scored(name, names, counts, None, tuple(notes))
            return scored, Scene(image, truth, semantic)
        # A mask of objects does not say of which class they are.
        there, said = (truth > 0).astype(np.uint8), (semantic > 0).astype(np.uint8)
        parts = zip(_volumes(image, truth), _volumes(image, found), strict=True)
        scored = Scored(
            name,
            ("background", "objects"),
            confusion(there, said, 2),
            reduce(add, (score_objects(*pair) for pair in parts)),
            tuple(notes),
        )
        return scored, Scene(image, truth, found)

    def _classes(self, truth: NDArray[np.integer], mask: Path) -> NDArray[np.uint8]:
        names = self._model.spec.classes.names
        try:
            return classes_of_mask(truth, len(names))
        except AnnotationError as error:
            raise ImageError(
                f"'{mask}' has a class {truth.max()}; the model knows 0 to "
                f"{len(names) - 1}: {', '.join(names)}. Leave out --semantic if the "
                "mask holds objects."
            ) from error


def summary(scored: Sequence[Scored]) -> dict[str, Any]:
    """Return the figures of all images together, ready for JSON.

    ``ap_pooled`` counts the objects of all images together, ``ap_mean`` is the mean
    over images; Dice and IoU are of the pixels of all images together.
    """
    counts = reduce(add, (s.counts for s in scored))
    names = scored[0].classes
    figures: dict[str, Any] = {"images": len(scored)}
    objects = [s.objects for s in scored if s.objects is not None]
    if objects:
        total = reduce(add, objects)
        keys = [f"{t:.2f}" for t in THRESHOLDS]
        figures |= {
            "ap_pooled": total.ap,
            "ap_mean": {k: float(np.mean([o.ap[k] for o in objects])) for k in keys},
            "f1": total.f1,
            "panoptic_quality": total.panoptic_quality,
            "seg": total.seg_score,
            "merges": total.merges,
            "splits": total.splits,
        }
    for word, values in (("dice", dice(counts)), ("iou", iou(counts))):
        figures[word] = {
            name: float(value)
            for name, value in zip(names, values, strict=True)
            if not np.isnan(value)
        }
    worst = sorted(scored, key=lambda s: s.mark)[:WORST]
    figures["worst"] = [{"image": s.name, "score": s.mark} for s in worst]
    return figures


def _volumes(
    image: Image, labels: NDArray[np.integer]
) -> Iterator[NDArray[np.integer]]:
    """Yield labels in parts ``(Z, Y, X)`` whose objects are numbered for themselves."""
    for part in volumes(image.planes()):
        yield np.stack([labels[tuple(plane.values())] for plane in part])
