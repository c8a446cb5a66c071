"""What is on screen, predicted with a checkpoint that the user looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from qtpy.QtCore import QObject, QTimer

from napari_unet.gui.parts.forms import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.image.image_panel import ImagePanel
    from napari_unet.gui.session import UnetSession
    from napari_unet.gui.train.preview import Previews, View

# Milliseconds for a moved view to come to rest.
_REST = 150


class CheckpointView(QObject):
    """Keeps the layer ``<image> checkpoint`` up to date where the image is seen.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        Its training and results.
    images : ImagePanel
        Where the image is chosen.
    previews : Previews
        Through which it is predicted.
    view : callable
        Given a checkpoint, returns what is on screen, or None where that cannot be
        predicted.
    panel : QWidget
        It lives as long as this.
    """

    def __init__(
        self,
        viewer: Viewer,
        session: UnetSession,
        images: ImagePanel,
        previews: Previews,
        view: Callable[[str], View | None],
        panel: QWidget,
    ) -> None:
        super().__init__(panel)
        self._viewer = viewer
        self._session = session
        self._images = images
        self._previews = previews
        self._view = view
        self._panel = panel
        self._checkpoint: str | None = None
        # What was shown of it last; None while it is awaited.
        self._last: View | None = None
        self._layers: WeakSet[Labels] = WeakSet()
        self._rest = QTimer(self, singleShot=True, interval=_REST)
        self._rest.timeout.connect(self._predict)

    def look_at(self, checkpoint: str) -> None:
        """Predict what is on screen with a checkpoint, and what will be."""
        self._checkpoint, self._last = checkpoint, None
        view = self._view(checkpoint)
        if view is not None:
            layer = self._session.results_of(view.target.layer).checkpoint
            if layer is not None:
                layer.visible = True
            self._previews.show(view)

    def follow(self) -> None:
        """Say that the view has moved."""
        if self._checkpoint is not None:
            self._rest.start()

    def shown(self, view: View) -> None:
        """Say that a view is on screen now."""
        layer = self._session.results_of(view.target.layer).checkpoint
        if layer is not None and layer not in self._layers:
            self._layers.add(layer)
            follow(self._panel, (layer.events.visible, self._show_again))
        self._last = view
        # Another one may have come meanwhile.
        self.follow()

    def forget_gone(self) -> None:
        """Look at none any more if a training begins that has none yet."""
        if not self._session.live.outcome.checkpoints:
            self._checkpoint = None

    def _show_again(self, event: object = None) -> None:
        self.follow()

    def _predict(self) -> None:
        kept = [event.name for event in self._session.live.outcome.checkpoints]
        image = self._images.layer
        if self._checkpoint not in kept or image is None:
            return
        layer = self._session.results_of(image).checkpoint
        seen = layer is not None and layer in self._viewer.layers and layer.visible
        if not seen and self._last is not None:
            return
        view = self._view(self._checkpoint)
        if view is None or (self._last is not None and self._last.covers(view)):
            return
        self._previews.show(view)
