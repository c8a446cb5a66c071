"""What belongs to one viewer: its engine, its labels, the results on screen."""

from __future__ import annotations

import atexit
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, proxy

from superqt.utils import WorkerBase

from napari_unet.engine.client import Engine
from napari_unet.gui.annotate.annotations import Annotations
from napari_unet.gui.annotate.restoring import Restoring
from napari_unet.gui.image.channels import Channels
from napari_unet.gui.image.source import image_of, pixels_of
from napari_unet.gui.image.target import Target
from napari_unet.gui.predict.results import Results
from napari_unet.gui.train.live import LiveTraining

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer
    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.widget import UnetWidget


class UnetSession:
    """The engine of one viewer, and the labels and results of its images.

    A panel that is closed and opened again finds everything as it was.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.engine = Engine()
        # The session outlives a viewer that it does not hold on to.
        self._viewer = proxy(viewer)
        self.annotations = Annotations(viewer)
        self.restoring = Restoring(viewer, self.annotations)
        self.channels = Channels(viewer, self.annotations)
        self.widget: UnetWidget | None = None
        self._in_window = False
        self._closed = False
        self._results: WeakKeyDictionary[ImageLayer, Results] = WeakKeyDictionary()

    @cached_property
    def live(self) -> LiveTraining:
        """The training on what is labelled, made when it is first asked for."""
        return LiveTraining(self.engine, self.annotations, self.channels)

    def target(self, layer: ImageLayer) -> Target:
        """Return what a layer shows; one with labels keeps the axes it has for them.

        Raises
        ------
        ImageError
            If the layer cannot be read as an image.
        """
        annotated = self.annotations.of(layer)
        if annotated and annotated.target.image.data is pixels_of(layer):
            return annotated.target
        return Target(layer, image_of(layer, self._viewer.dims.axis_labels))

    def image_under(self, layer: Layer | None) -> Layer | None:
        """Return the image that a layer is drawn or predicted on, else the layer."""
        for image in self.annotations.images:
            if layer in image.layers:
                return image.target.layer
        for predicted, results in self._results.items():
            if layer in results.layers:
                return predicted
        return layer

    def results_of(self, layer: ImageLayer) -> Results:
        """Return the result layers of an image layer."""
        return self._results.setdefault(layer, Results())

    def show_in(self, widget: UnetWidget) -> None:
        """Remember the panel for as long as it is there."""

        def forget() -> None:
            if self.widget is widget:
                self.widget = None

        self.widget = widget
        widget.destroyed.connect(forget)

    def end_with_window_of(self, widget: QWidget) -> QWidget:
        """Close with the window that a dock is in; return the window."""
        window = widget
        while (parent := window.parentWidget()) is not None:
            window = parent
        if not self._in_window:
            self._in_window = True
            window.destroyed.connect(self.close)
            # Where Python ends before the window, as in a notebook, Qt goes first. A
            # worker that then tells that the engine has gone would abort the process.
            atexit.register(WorkerBase.await_workers)
            atexit.register(self._end_with_python)
        return window

    def close(self) -> None:
        """Save the labels and end the engine.

        What still waits for the engine gets an `EngineError`.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self._end_with_python)
        self.annotations.close()
        self.live.close()
        self.engine.close()

    def _end_with_python(self) -> None:
        """Close, then the window too.

        What Qt deletes last, PyQt6 sometimes reads once more (a segmentation fault).
        """
        self.close()
        self._viewer.close()


def bare(viewer: Viewer) -> Viewer:
    """Return the viewer itself, where napari hands a plugin a proxy of it.

    Layers that are made through the proxy are proxies, too, and not those that the
    viewer's events tell of.
    """
    itself: Viewer = getattr(viewer, "__wrapped__", viewer)
    return itself


_sessions: WeakKeyDictionary[Viewer, UnetSession] = WeakKeyDictionary()


def session_of(viewer: Viewer) -> UnetSession:
    """Return the session of `viewer`, made when it is first asked for."""
    if viewer not in _sessions:
        _sessions[viewer] = UnetSession(viewer)
    return _sessions[viewer]
