"""What is on screen, predicted again while training goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet.engine.messages import AtWork, RolledBackTo
from napari_unet.errors import ImageError, UnetError
from napari_unet.gui.forms import follow
from napari_unet.gui.hand import Hand
from napari_unet.gui.preview import Previews, Seen, View
from napari_unet.gui.screen import camera_of, region_on_screen
from napari_unet.gui.source import plane_on_screen
from napari_unet.training.events import Checkpointed, Stepped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image as ImageLayer
    from napari.layers import Labels
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.image_panel import ImagePanel
    from napari_unet.gui.session import UnetSession
    from napari_unet.images import Region
    from napari_unet.inference import PredictConfig

# Pixels along a side: of a preview, and of a checkpoint's thumbnail.
_MOST, _SMALL = 1024, 128
# Milliseconds for a moved view to come to rest before a checkpoint follows it.
_REST = 150


class LiveView(QObject):
    """Keeps the result layers of the chosen image up to date where it is seen.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    session : UnetSession
        Its training, engine and results.
    images : ImagePanel
        Where the image is chosen.
    config : callable
        Returns how objects are found.
    panel : QWidget
        It lives as long as this.

    Attributes
    ----------
    shown : Signal
        A `Seen` that is on screen now.
    thumbnail : Signal
        A `Seen` of a small part of a checkpoint, always the same part.
    told : Signal
        Why there is no preview, for the user; empty if there is one.
    """

    shown = Signal(object)
    thumbnail = Signal(object)
    told = Signal(str)

    def __init__(
        self,
        viewer: Viewer,
        session: UnetSession,
        images: ImagePanel,
        config: Callable[[], PredictConfig],
        panel: QWidget,
    ) -> None:
        super().__init__(panel)
        self._panel = panel
        self._viewer = viewer
        self._session = session
        self._live = session.live
        self._images = images
        self._config = config
        self._on = True
        self._pinned: tuple[ImageLayer, Region] | None = None
        self._awaited: View | None = None
        # The checkpoint that is looked at, and what has been predicted with it.
        self._checkpoint: str | None = None
        self._seen: View | None = None
        self._followed: WeakSet[Labels] = WeakSet()
        self._rest = QTimer(self, singleShot=True, interval=_REST)
        self._rest.timeout.connect(self._follow_checkpoint)
        self._idle = QTimer(self, singleShot=True, interval=0)
        self._idle.timeout.connect(self._make_layer)
        self._previews = previews = Previews(session.engine, self._live.feed)
        previews.due.connect(self._look)
        previews.seen.connect(self._show)
        previews.failed.connect(self.told)
        panel.destroyed.connect(previews.close)
        self._live.told.connect(self._follow_training)
        # New strokes show in the weights of the next steps.
        self._live.labels_changed.connect(previews.hurry)
        self._live.state_changed.connect(self._follow_state)
        Hand(viewer, panel).moves.connect(self._leave_a_core)
        images.image_changed.connect(self._moved)
        images.channel_changed.connect(self._moved)
        events = camera_of(viewer).events
        dims = viewer.dims.events
        follow(
            panel,
            *((event, self._moved) for event in (events.center, events.zoom)),
            *((e, self._moved) for e in (dims.current_step, dims.order, dims.ndisplay)),
        )

    def set_on(self, on: bool) -> None:
        """Show previews, or leave training alone."""
        self._on = on
        self._moved()

    def show_again(self) -> None:
        """Show what is being trained, where a prediction has been written over it."""
        self._ask(moved=True)

    def show_checkpoint(self, name: str) -> None:
        """Predict what is on screen with a checkpoint, into a layer of its own.

        It follows the view for as long as that layer is shown.
        """
        self._checkpoint = name
        view = self._view(checkpoint=name)
        if view is not None:
            shown = self._session.results_of(view.target.layer).checkpoint
            if shown is not None:
                shown.visible = True
            self._previews.show(view)

    def _follow_layer(self, layer: Labels | None) -> None:
        """Notice when the layer of a checkpoint is shown again."""
        if layer is not None and layer not in self._followed:
            self._followed.add(layer)
            follow(self._panel, (layer.events.visible, self._moved))

    def _follow_checkpoint(self) -> None:
        """Predict what has come on screen with the checkpoint that is looked at."""
        kept = [event.name for event in self._live.outcome.checkpoints]
        layer = self._images.layer
        if self._checkpoint not in kept or layer is None or self._seen is None:
            return
        results = self._session.results_of(layer)
        shown = results.checkpoint
        if shown is None or shown not in self._viewer.layers or not shown.visible:
            return
        view = self._view(checkpoint=self._checkpoint)
        if view is not None and not self._seen.covers(view):
            self._previews.show(view)

    def _leave_a_core(self) -> None:
        """Tell the engine of a stroke that may go on for long before there is news."""
        if self._live.state == "training":
            self._live.feed.ask(AtWork())

    def _follow_state(self, state: str) -> None:
        if state in ("stopping", "idle"):
            self._previews.stop()
        if state == "starting":
            self._pinned = None
            if not self._live.outcome.checkpoints:
                self._checkpoint = None

    def _follow_training(self, event: Any) -> None:
        if isinstance(event, Checkpointed):
            self._draw_thumbnail(event.name)
        elif isinstance(event, RolledBackTo):
            self._moved()
        elif isinstance(event, Stepped):
            self._ask()

    def _moved(self, event: Any = None) -> None:
        self._previews.hurry()
        self._ask(moved=True)
        if self._checkpoint is not None:
            self._rest.start()

    def _ask(self, *, moved: bool = False) -> None:
        if self._on and self._live.state in ("training", "paused"):
            self._previews.ask(moved=moved)

    def _look(self) -> None:
        view = self._view()
        if view is not None:
            self._previews.show(view)
            self._awaited = view
            self._idle.start()

    def _make_layer(self) -> None:
        """Make a layer that a preview will be shown in, if it is not there.

        napari takes a moment for each. So they are made one at a time, while the engine
        predicts.
        """
        view = self._awaited
        if view is None or view.target.layer not in self._viewer.layers:
            return
        classes = self._session.annotations.scheme
        results = self._session.results_of(view.target.layer)
        if results.prepare(
            self._viewer, view.target, classes, instances=_has_objects(view)
        ):
            self._idle.start()

    def _view(self, checkpoint: str | None = None) -> View | None:
        """Return what is on screen; say so if it cannot be predicted."""
        layer = self._images.layer
        if layer is None:
            return None
        try:
            target = self._images.target()
            region = region_on_screen(self._viewer, target, _MOST)
            subject = self._live.subjects.of(target)
            self.told.emit("")
            results = self._session.results_of(layer)
            return View(
                target,
                subject,
                region,
                self._config(),
                str(self._live.outcome.folder_of(checkpoint)) if checkpoint else None,
                objects=results.objects(self._viewer, target, region),
            )
        except UnetError as error:
            self.told.emit(f"There is no preview of this view. {error}")
            return None

    def _draw_thumbnail(self, checkpoint: str) -> None:
        """Ask for the part of the image that was in the middle at first."""
        try:
            if self._pinned is None or self._pinned[0] not in self._viewer.layers:
                if self._images.layer is None:
                    return
                self._pinned = self._images.layer, self._middle()
            layer, region = self._pinned
            target = self._session.target(layer)
            subject = self._live.subjects.of(target)
            folder = str(self._live.outcome.folder_of(checkpoint))
            self._previews.show(
                View(target, subject, region, self._config(), folder, small=True)
            )
        except UnetError as error:
            self.told.emit(str(error))

    def _middle(self) -> Region:
        """Return the middle of what is on screen, or of the plane where that is not it.

        Raises
        ------
        ImageError
            If the chosen image cannot be read.
        """
        target = self._images.target()
        try:
            return region_on_screen(self._viewer, target, _SMALL)
        except ImageError:
            image, point = target.image, self._viewer.dims.point
            whole = image.whole(plane_on_screen(target.layer, image, point))
            y, x = (max(0, (side - _SMALL) // 2) for side in whole.shape)
            return replace(
                whole,
                y0=y,
                x0=x,
                y1=min(whole.y1, y + _SMALL),
                x1=min(whole.x1, x + _SMALL),
            )

    def _show(self, seen: Seen) -> None:
        """Write a preview into the layers, if the image is still there."""
        view = seen.view
        if view.small:
            self.thumbnail.emit(seen)
            return
        if view.target.layer not in self._viewer.layers:
            return
        classes = self._session.annotations.scheme
        results = self._session.results_of(view.target.layer)
        if view.checkpoint is not None:
            results.show_checkpoint(
                self._viewer, view.target, view.region, seen.semantic, classes
            )
            self._follow_layer(results.checkpoint)
            self._seen = view
            # The view may have moved meanwhile.
            self._rest.start()
        else:
            instances = seen.instances if _has_objects(view) else None
            results.show_region(
                self._viewer,
                view.target,
                view.region,
                seen.semantic,
                instances,
                classes,
            )
        self.shown.emit(seen)


def _has_objects(view: View) -> bool:
    return view.config.instances != "none"
