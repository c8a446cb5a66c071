"""What live training keeps between requests: images, their labels, the training."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_unet.errors import ImageError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_unet.engine.messages import Patch
    from napari_unet.engine.run import Run
    from napari_unet.training import TrainingImage

# Seconds after the last stroke or move of the view in which the user may go on.
BUSY = 5.0


class Session:
    """Images, the engine's copy of their labels, and one training.

    Attributes
    ----------
    images : dict of str to TrainingImage
        By key. Only this class adds and removes.
    stopped : int
        The id of the training that was told to stop last; it may come only now.
    """

    def __init__(self) -> None:
        self.images: dict[str, TrainingImage] = {}
        self.stopped = 0
        self._run: Run | None = None
        self._last_busy = -math.inf
        self._view: object = None

    @property
    def training(self) -> Run | None:
        """The training that is under way."""
        return None if self._run is None or self._run.ended else self._run

    @property
    def run(self) -> Run:
        """The latest training, under way or ended.

        Raises
        ------
        TrainingError
            If there was none.
        """
        if self._run is None:
            raise TrainingError(
                "The engine knows of no training. Press Start first; with 'Go on with "
                "the last training' as the base it takes up an earlier one."
            )
        return self._run

    def run_in(self, folder: Path) -> Run | None:
        """Return the latest training, if it keeps its checkpoints in `folder`."""
        run = self._run
        return run if run and run.checkpoints.folder == folder else None

    def begin(self, run: Run) -> None:
        """Make `run` the training under way."""
        self._run = run

    def image(self, key: str) -> TrainingImage:
        """Return an image.

        Raises
        ------
        ImageError
            If it is not there.
        """
        if key not in self.images:
            raise ImageError(
                "The engine does not have this image: its layer was removed, or the "
                "engine has been started anew. Select the image again."
            )
        return self.images[key]

    def add(self, image: TrainingImage) -> None:
        """Take an image in; a known one keeps its labels if they fit."""
        before = self.images.get(image.key)
        if before is not None:
            labels, blank = before.annotation, image.annotation
            if (labels.shape, labels.axes) == (blank.shape, blank.axes):
                image = replace(image, annotation=labels)
        self.remove(image.key)
        self.images[image.key] = image
        self._learn_from(image.key)

    def remove(self, key: str) -> None:
        """Forget an image and its labels."""
        self.images.pop(key, None)
        if self.training and key in self.training.data:
            self.training.data.remove(key)

    def write(
        self, key: str, patches: Sequence[Patch], object_classes: Mapping[int, int]
    ) -> None:
        """Write labels and learn from them; see `messages.WriteLabels`."""
        self.note_work()
        labels = self.image(key).annotation
        for patch in patches:
            if patch.scribbles is not None:
                labels.write_scribbles(patch.region, patch.scribbles)
            if patch.objects is not None:
                labels.write_objects(patch.region, patch.objects)
            if patch.verified is not None:
                labels.verify(patch.region, patch.verified)
            if patch.split is not None:
                labels.assign(patch.region, patch.split)
        ids = labels.object_classes.keys() | object_classes.keys()
        labels.set_object_classes({i: object_classes.get(i, 1) for i in ids})
        if self.training and key in self.training.data:
            self.training.data.refresh(key, [patch.region for patch in patches])
        else:
            self._learn_from(key)

    def note_work(self) -> None:
        """Note that the user is at work."""
        self._last_busy = time.monotonic()

    def look_at(self, view: object) -> None:
        """Note what is on screen: a change tells that the user is at work."""
        if view != self._view:
            self._view = view
            self.note_work()

    def share_cores(self) -> None:
        """Leave a core to the viewer while training, if the user is at work."""
        import torch

        if self.training:
            busy = time.monotonic() - self._last_busy < BUSY
            threads = self.training.threads
            wanted = max(1, threads - 1) if busy else threads
            if torch.get_num_threads() != wanted:
                torch.set_num_threads(wanted)

    def _learn_from(self, key: str) -> None:
        """Give an image to the training under way, if it has labels."""
        image = self.images[key]
        if self.training and image.annotation.labelled():
            self.training.data.add(image)
