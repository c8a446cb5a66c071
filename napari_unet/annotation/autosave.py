"""Saving in the background, soon after every stroke."""

from __future__ import annotations

import atexit
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from napari_unet.errors import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_unet.annotation.annotation import Annotation
    from napari_unet.annotation.classes import ClassScheme
    from napari_unet.annotation.storage import AnnotationStore


class _Work(NamedTuple):
    annotation: Annotation
    scheme: ClassScheme
    name: str


class Autosave:
    """Saves what was handed to it last, in a thread of its own.

    What is handed over is saved `delay` seconds after the first stroke that is not on
    the disk yet, also while painting goes on. If that fails for an image it is tried
    again until it works; the others do not wait for it.

    Parameters
    ----------
    store : AnnotationStore
        Where to.
    failed : callable, optional
        Called in that thread with the AnnotationError when saving fails; once for an
        image, not again for the further tries until one has worked.
    delay, retry : float
        Seconds to gather strokes, and between two tries for an image.
    """

    def __init__(
        self,
        store: AnnotationStore,
        *,
        failed: Callable[[AnnotationError], None] = lambda error: None,
        delay: float = 0.5,
        retry: float = 5.0,
    ) -> None:
        self._store = store
        self._failed = failed
        self._delay = delay
        self._retry = retry
        self._waiting: dict[str, _Work] = {}
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._work = threading.Event()
        self._closing = threading.Event()
        # When an image that could not be saved is tried again.
        self._again: dict[str, float] = {}
        self._thread = threading.Thread(
            target=self._run, name="napari-unet autosave", daemon=True
        )
        self._thread.start()
        atexit.register(self.close)

    @property
    def unsaved(self) -> bool:
        """Whether something handed over is not on the disk yet."""
        return bool(self._waiting)

    def changed(
        self, key: str, annotation: Annotation, scheme: ClassScheme, name: str = ""
    ) -> None:
        """Hand over what to save; call it in the thread that paints.

        Parameters
        ----------
        key : str
            Of the image, see `image_key`.
        annotation : Annotation
            A snapshot of it is taken now; painting may go on.
        scheme : ClassScheme
            Its classes.
        name : str
            Of the image, for people.
        """
        with self._lock:
            self._waiting[key] = _Work(annotation.snapshot(), scheme, name)
        self._work.set()

    def flush(self) -> None:
        """Save at once what is waiting, in the calling thread.

        Raises
        ------
        AnnotationError
            If that fails; it goes on being tried in the background.
        """
        self._save(list(self._waiting), raising=True)

    def close(self) -> None:
        """End the thread and save what is waiting; may be called again.

        Raises
        ------
        AnnotationError
            If saving fails. What is waiting is lost unless `close` is called again
            once the cause is mended.
        """
        self._closing.set()
        self._work.set()
        self._thread.join()
        self.flush()
        atexit.unregister(self.close)

    def _run(self) -> None:
        while True:
            # Copied at once: other threads hand over and flush.
            retry = min(list(self._again.values()), default=None)
            left = None if retry is None else max(0.0, retry - time.monotonic())
            if self._work.wait(left):
                self._work.clear()
                self._closing.wait(self._delay)
            if self._closing.is_set():
                return
            now = time.monotonic()
            due = [k for k in list(self._waiting) if self._again.get(k, now) <= now]
            self._save(due)

    def _save(self, keys: Iterable[str], *, raising: bool = False) -> None:
        """Save what waits under `keys`; one that fails does not stop the others."""
        failure, new = None, False
        with self._saving:
            for key in keys:
                if (work := self._waiting.get(key)) is None:
                    continue
                try:
                    self._store.save(key, *work)
                except Exception as error:
                    failure = error
                    new = new or key not in self._again
                    self._again[key] = time.monotonic() + self._retry
                    continue
                self._again.pop(key, None)
                with self._lock:
                    # A newer stroke may have been handed over meanwhile.
                    if self._waiting.get(key) is work:
                        del self._waiting[key]
        if failure is None:
            return
        if not isinstance(failure, AnnotationError):
            failure = AnnotationError(
                f"The labels cannot be saved: {failure}. They are kept while this "
                "window is open; it goes on trying."
            )
        if raising:
            raise failure
        if new:
            self._failed(failure)
