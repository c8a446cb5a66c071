"""Keeps what the engine knows of images and labels up to date."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_unet.annotation import hold_out
from napari_unet.annotation.annotation import LAYERS
from napari_unet.engine.messages import Patch, RemoveImage, WriteLabels
from napari_unet.errors import EngineError, UnetError, too_large
from napari_unet.gui.train.subject import SharedImage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_unet.annotation import Annotation, Blocks
    from napari_unet.engine.client import Engine
    from napari_unet.engine.messages import Request
    from napari_unet.gui.train.subject import Subject
    from napari_unet.images import Region

T = TypeVar("T")


class Feed:
    """Sends each image once and of its labels the blocks that have changed.

    Which labels are held out is decided here, before they are sent, and not in the
    engine, so that one that is started anew, or on another day, judges by the same. All
    images that were sent count, so those of a training belong into one call of `send`.
    It takes seconds after a large region was accepted.

    Everything goes through one thread, in order. An engine that has been started anew
    is told everything again. What is sent while something else waits takes its place,
    so a slow engine does not make a queue.

    Parameters
    ----------
    engine : Engine
        Started if it does not run.
    decided : callable
        Called in the thread with the key of an image and a snapshot of its
        `Annotation.split`, when more of its labels are held out or learnt from.

    Attributes
    ----------
    closed : bool
        Whether nothing more can be sent.
    """

    def __init__(self, engine: Engine, decided: Callable[[str, Blocks], None]) -> None:
        self.closed = False
        self._engine = engine
        self._decided = decided
        self._thread = ThreadPoolExecutor(1, "napari-unet feed")
        self._lock = threading.Lock()
        self._waiting: dict[str, Subject] = {}
        # What follows is used in that thread alone.
        self._told: int | None = None
        self._shared: dict[str, SharedImage] = {}
        # What the engine has of the labels, by image; None is nothing.
        self._known: dict[str, Annotation | None] = {}
        self._labels: dict[str, Annotation] = {}

    def send(self, *subjects: Subject) -> Future[None]:
        """Tell the engine about images and their labels; nothing waits for it.

        Returns
        -------
        Future
            Done when the engine knows them; it may raise a UnetError.
        """
        keys = [subject.key for subject in subjects]
        with self._lock:
            for key, subject in zip(keys, subjects, strict=True):
                before = self._waiting.get(key)
                self._waiting[key] = subject.in_place_of(before) if before else subject
        return self._submit(self._send, keys)

    def remove(self, key: str) -> Future[None]:
        """Let the engine forget an image."""
        return self._submit(self._forget, key)

    def ask(self, request: Request) -> Future[list[Any]]:
        """Send a short request after everything else; the result is its events."""
        return self._submit(self._ask, request)

    def close(self) -> None:
        """Send nothing more; who waits for something is told."""
        self.closed = True
        self._thread.shutdown(wait=False)

    def _submit(self, work: Callable[..., T], *args: object) -> Future[T]:
        try:
            return self._thread.submit(work, *args)
        except RuntimeError:
            # Where Python ends before the window, the thread has ended already.
            done = Future[T]()
            try:
                done.set_result(work(*args))
            except UnetError as error:
                done.set_exception(error)
            return done

    def _ask(self, request: Request) -> list[Any]:
        self._check_open()
        return [*self._engine.request(request)]

    def _check_open(self) -> None:
        # Futures are not cancelled: that is no UnetError to those who wait for them.
        if self.closed:
            raise EngineError("The viewer has been closed.")

    def _send(self, keys: Sequence[str]) -> None:
        self._check_open()
        with self._lock:
            waiting = [self._waiting.pop(key, None) for key in keys]
        subjects = [subject for subject in waiting if subject is not None]
        if not subjects:
            return
        self._decide(subjects)
        self._engine.start()
        if self._engine.pid != self._told:
            self._known.clear()
            self._told = self._engine.pid
        for subject in subjects:
            try:
                self._show(subject)
            except MemoryError as error:
                raise too_large(subject.image.name) from error
        # Labels of one image may decide on those of another.
        for key in self._known:
            self._write(key)

    def _decide(self, subjects: Sequence[Subject]) -> None:
        """Follow the labels, and decide what is held out of all that is known."""
        for subject in subjects:
            ours, theirs = self._labels.get(subject.key), subject.labels
            # The sliders may have been named anew before it was annotated.
            if ours and (ours.shape, ours.axes) == (theirs.shape, theirs.axes):
                ours.follow(theirs)
            else:
                self._labels[subject.key] = theirs.snapshot()
        before = {key: ours.split.snapshot() for key, ours in self._labels.items()}
        hold_out(self._labels)
        for key, ours in self._labels.items():
            split = ours.split.snapshot()
            if before[key].follow(split):
                self._decided(key, split)

    def _show(self, subject: Subject) -> None:
        """Give the engine what it needs of the pixels of an image and has not."""
        key, shared = subject.key, self._shared.get(subject.key)
        labelled = [region.plane for region in self._labels[key].labelled()]
        known = shared is not None and shared.shows(subject)
        if shared is None or not known:
            shared = SharedImage.of(subject, self._engine)
        try:
            shared.fill([*labelled, *subject.planes])
            if not known or key not in self._known:
                self._add(key, shared)
        except Exception:
            if not known:
                shared.pixels.remove()
            raise

    def _add(self, key: str, shared: SharedImage) -> None:
        """Give the engine an image in place of another; labels that fit stay."""
        before = self._shared.get(key)
        self._engine.ask(shared.description(key))
        self._shared[key] = shared
        self._known.setdefault(key, None)
        if before is not None and before is not shared:
            if not shared.suits_labels_of(before):
                self._known[key] = None
            before.pixels.remove()

    def _write(self, key: str) -> None:
        """Bring the engine's labels of an image up to date."""
        labels = self._labels[key]
        if not self._shared[key].holds(labels):
            # They could not be read, and whoever sent them was told. The engine would
            # learn that all is black there.
            return
        patches = _patches(labels, self._known[key])
        if patches:
            classes = dict(labels.object_classes)
            self._engine.ask(WriteLabels(key, patches, classes))
            self._known[key] = labels.snapshot()

    def _forget(self, key: str) -> None:
        self._check_open()
        self._labels.pop(key, None)
        shared = self._shared.pop(key, None)
        known = key in self._known
        self._known.pop(key, None)
        try:
            # One that has ended since knows of nothing, and is not started for this.
            if known and self._engine.pid == self._told:
                self._engine.ask(RemoveImage(key))
        finally:
            if shared is not None:
                shared.pixels.remove()


def _patches(labels: Annotation, known: Annotation | None) -> tuple[Patch, ...]:
    """Return the blocks of labels that differ from what the engine knows."""
    if known is None:
        blocks = (getattr(labels, name) for name in LAYERS)
        keys = sorted({key for layer in blocks for key in layer.keys()})
        regions = [labels.scribbles.region(key) for key in keys]
    else:
        regions = labels.changed_since(known.version)

    def news(name: str, region: Region) -> NDArray[Any] | None:
        values = getattr(labels, name).read(region)
        old = getattr(known, name).read(region) if known else np.zeros_like(values)
        return None if np.array_equal(values, old) else values

    return tuple(
        Patch(region, *(news(name, region) for name in LAYERS)) for region in regions
    )
