"""What the workers share: a folder with a task, a clock, scores to tune by.

A task is a folder: ``task.json`` (minutes, threads, seed), ``split.csv`` (id, split),
``images/ID.npy`` (Y, X) uint8 and ``labels/ID.npy`` (Y, X) int32.  A worker adds
``found/ID.tif`` for each image of `test`, and ``result.json``.  With ``again`` in
``task.json`` it takes what it trained before, and is timed once more.
"""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

# All tools are tuned for the mean of the average precisions at these IoU.
THRESHOLDS = (0.5, 0.75, 0.9)


class Clock:
    """Wall time since training began, data and compilation included."""

    def __init__(self, minutes: float) -> None:
        self._limit = minutes
        self._started = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes that have passed."""
        return (time.monotonic() - self._started) / 60

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return 60 * (self._limit - self.minutes)

    @property
    def done(self) -> float:
        """Which share of the time has passed."""
        return self.minutes / self._limit


class Task:
    """A task, opened by a worker: ``Task()`` takes its folder from the command line."""

    def __init__(self) -> None:
        self.folder = Path(sys.argv[1])
        settings: dict[str, Any] = json.loads((self.folder / "task.json").read_text())
        self.minutes: float = settings["minutes"]
        self.threads: int = settings["threads"]
        self.seed: int = settings["seed"]
        self.base: str | None = settings["base"]
        self.before: dict[str, Any] | None = None
        if settings.get("again"):
            self.before = json.loads((self.folder / "result.json").read_text())
        with (self.folder / "split.csv").open(newline="") as file:
            self._rows = list(csv.DictReader(file))

    def names(self, split: str) -> list[str]:
        """Return the images of `train`, `val` or `test`."""
        return [row["id"] for row in self._rows if row["split"] == split]

    def images(self, split: str) -> list[np.ndarray]:
        """Return images (Y, X), uint8."""
        return self._load("images", split)

    def labels(self, split: str) -> list[np.ndarray]:
        """Return objects (Y, X), int32; 0 is background."""
        return self._load("labels", split)

    def finish(self, find: Callable[[np.ndarray], np.ndarray], **figures: Any) -> None:
        """Find the objects of `test`, keep and time them, and write the figures.

        The clock goes from pixels in memory to objects in memory; before it starts an
        image of each size is done.
        """
        import tifffile

        names, images = self.names("test"), self.images("test")
        for image in {image.shape: image for image in images}.values():
            find(image)
        started = time.perf_counter()
        found = [find(image) for image in images]
        seconds = time.perf_counter() - started
        (self.folder / "found").mkdir(exist_ok=True)
        for name, labels in zip(names, found, strict=True):
            path = self.folder / "found" / f"{name}.tif"
            tifffile.imwrite(path, np.asarray(labels).astype(np.uint16))
        figures["mp_per_second"] = sum(i.size for i in images) / seconds / 1e6
        (self.folder / "result.json").write_text(json.dumps(figures, indent=1))

    def _load(self, kind: str, split: str) -> list[np.ndarray]:
        return [np.load(self.folder / kind / f"{n}.npy") for n in self.names(split)]


def mark(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the mean AP at `THRESHOLDS` of all (truth, found) together."""
    hits, every = np.zeros(len(THRESHOLDS)), 0
    for truth, found in pairs:
        truth, found = compact(truth), compact(found)
        n = int(found.max()) + 1
        both = np.bincount((truth * n + found).ravel(), minlength=(truth.max() + 1) * n)
        both = both.reshape(-1, n)
        union = both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both
        iou = (both / np.maximum(union, 1))[1:, 1:]
        # Above an IoU of a half no object can have two partners.
        hits += [(iou > t - 1e-9).sum() for t in THRESHOLDS]
        every += sum(iou.shape)
    return float(np.mean(hits / np.maximum(every - hits, 1)))


def compact(labels: np.ndarray) -> np.ndarray:
    """Return objects numbered from 1 to n, as int64."""
    values, numbers = np.unique(labels, return_inverse=True)
    return numbers.reshape(labels.shape) + int(values[0] > 0)
