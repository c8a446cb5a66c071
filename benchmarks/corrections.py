"""How soon a stroke over a clear error of a base model is shown as painted.

    python benchmarks/corrections.py --data DIR

Images in colour are annotated with six strokes and `nuclei` trained for 30 steps. Then
one stroke more is painted through the largest place that the base has wrong. After some
steps the image is predicted with the averaged weights, as a preview does, and the share
of the stroke's pixels that have their class is printed.

DIR holds ``nuclei`` (BBBC038).
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from annotator import CASES, Pair, material, semantic, start, training_image
from hand import paint
from scipy import ndimage

from napari_unet.nets.choice import choose_device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingSet,
    train,
)

CASE = replace(CASES[1], kind="color")
STROKES, BEFORE = 6, 30
AFTER = (1, 3, 6, 10, 15, 20, 27)
# Pixels of an error that nobody would overlook, and of a stroke.
LEAST, LENGTH, WIDTH = 120, 20, 5


def largest_error(truth: np.ndarray, found: np.ndarray) -> np.ndarray | None:
    """Return where the largest clear error is, None if there is none."""
    best, size = None, LEAST - 1
    for missed in (True, False):
        wrong = (found != truth) & ((truth > 0) == missed)
        labels, n = ndimage.label(ndimage.binary_opening(wrong, iterations=2))
        sizes = np.bincount(labels.ravel(), minlength=n + 1)
        sizes[0] = 0
        if sizes.max() > size:
            best, size = labels == sizes.argmax(), sizes.max()
    return best


def stroke(place: np.ndarray) -> np.ndarray:
    """Return the pixels of a stroke through the middle of a place, along it."""
    at = np.argwhere(place)
    middle = at.mean(0)
    along = np.linalg.svd(at - middle, full_matrices=False)[2][0]
    line = np.zeros(place.shape, bool)
    for step in np.linspace(-LENGTH / 2, LENGTH / 2, 3 * LENGTH):
        y, x = np.rint(middle + step * along).astype(int)
        half = WIDTH // 2
        line[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = True
    return line & place


def correct(pair: Pair, seed: int) -> list[float] | None:
    """Return the share shown as painted after some steps; None without an error."""
    model = start(CASE, Path(), Path(), seed, 3)
    found, truth = semantic(model, pair.image), pair.truth
    place = largest_error(truth, found)
    if place is None:
        return None
    image = training_image("0", pair, 3)
    annotation, whole = image.annotation, pair.image.whole()
    nowhere = np.zeros(truth.shape, bool)
    paint(annotation, truth, found, STROKES, nowhere, np.random.default_rng(seed))
    scribbles = annotation.scribbles.dense().copy()
    # What is to be corrected, and its surroundings, nobody has painted yet.
    scribbles[ndimage.binary_dilation(place, iterations=6)] = 0
    annotation.write_scribbles(whole, scribbles)
    if len(np.unique(scribbles)) < 3:
        return None
    data = TrainingSet(model.spec, seed)
    data.add(image)
    learner = Learner(model, choose_device()[0], TrainConfig(seed=seed))
    line, label = stroke(place), truth[place][0]
    shares = []
    with tempfile.TemporaryDirectory() as scratch:
        checkpoints = Checkpoints(scratch)
        for steps in (0, *AFTER):
            until = BEFORE + steps
            for _ in train(
                learner, data, checkpoints, lambda until=until: learner.steps >= until
            ):
                pass
            if steps:
                shown = semantic(learner.model(), pair.image)
                shares.append(float((shown[line] == label).mean()))
                continue
            scribbles[line] = label + 1
            version = annotation.version
            annotation.write_scribbles(whole, scribbles)
            data.refresh("0", annotation.changed_since(version))
    return shares


def show(name: str, shares: Sequence[float]) -> None:
    print(f"{name:14}" + " ".join(f"{s:5.2f}" for s in shares), flush=True)


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{'steps':14}" + " ".join(f"{n:5}" for n in AFTER))
    rows: list[list[float]] = []
    seed = 9
    while len(rows) < args.images:
        seed += 1
        (pair,), _ = material(CASE, args.data, seed)
        if not 200 <= min(pair.truth.shape) <= max(pair.truth.shape) <= 700:
            continue
        shares = correct(pair, seed)
        if shares is not None:
            rows.append(shares)
            show(f"image {seed}", shares)
    show("mean", np.mean(rows, 0).tolist())


if __name__ == "__main__":
    main()
