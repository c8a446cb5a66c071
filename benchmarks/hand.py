"""A hand that paints strokes where a prediction is most wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_unet.images import Region

if TYPE_CHECKING:
    from napari_unet.annotation import Annotation


def paint(
    annotation: Annotation,
    truth: np.ndarray,
    predicted: np.ndarray | None,
    strokes: int,
    ignored: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Paint strokes on what is most wrong, the classes in turn."""
    n_classes = int(truth.max()) + 1
    for i in range(strokes):
        label = i % n_classes
        wrong = truth == label
        if predicted is not None and (wrong & (predicted != label) & ~ignored).any():
            wrong &= predicted != label
        wrong &= ~ignored
        # Nobody sees a rim that is a pixel wide: thick mistakes come first.
        thick = ndimage.binary_opening(wrong, iterations=2)
        wrong = thick if thick.any() else wrong
        if not wrong.any():
            continue
        parts, n = ndimage.label(wrong)
        sizes = ndimage.sum_labels(wrong, parts, np.arange(1, n + 1))
        part = 1 + int(random.choice(n, p=sizes / sizes.sum()))
        mask = stroke(parts == part, truth == label, random)
        for y, x in np.argwhere(mask):
            here = Region(int(y), int(x), int(y) + 1, int(x) + 1)
            annotation.write_scribbles(here, label + 1)


def stroke(
    begin: np.ndarray, inside: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return the pixels of a thin stroke that turns where it would leave `inside`."""
    height, width = inside.shape
    y, x = random.permutation(np.argwhere(begin))[0].astype(float)
    angle = random.uniform(0, 2 * np.pi)
    path = np.zeros(inside.shape, bool)
    turns = np.linspace(-np.pi, np.pi, 13)
    for _ in range(int(random.integers(30, 100))):
        path[int(y), int(x)] = True
        angle += random.normal(0, 0.3)
        for turn in turns[np.argsort(np.abs(turns) + random.uniform(0, 0.3, 13))]:
            ny, nx = y + np.sin(angle + turn), x + np.cos(angle + turn)
            if 0 <= ny < height and 0 <= nx < width and inside[int(ny), int(nx)]:
                y, x, angle = ny, nx, angle + turn
                break
        else:
            break
    path = ndimage.binary_dilation(path, iterations=1)
    # A hand that is a little off: now and then the stroke lies a pixel or two aside.
    if random.random() < 0.3:
        path = np.roll(path, random.integers(-2, 3, 2), axis=(0, 1))
    return path
