"""What is on screen, predicted again while training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_unet.engine.messages import AtWork, RolledBackTo
from napari_unet.errors import UnetError
from napari_unet.gui.image.screen import camera_of, middle_on_screen, region_on_screen
from napari_unet.gui.parts.forms import follow
from napari_unet.gui.parts.hand import Hand
from napari_unet.gui.train.checkpoint_view import CheckpointView
from napari_unet.gui.train.preview import Previews, Seen, View
from napari_unet.training.events import Checkpointed, Stepped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image as ImageLayer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from napari_unet.gui.image.image_panel import ImagePanel
    from napari_unet.gui.session import UnetSession
    from napari_unet.images import Region
    from napari_unet.inference import PredictConfig

# Pixels along a side: of a preview, and of a checkpoint's thumbnail.
_MOST, _SMALL = 1024, 128


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
        self._viewer = viewer
        self._session = session
        self._live = session.live
        self._images = images
        self._config = config
        self._on = True
        self._pinned: tuple[ImageLayer, Region] | None = None
        self._awaited: View | None = None
        self._idle = QTimer(self, singleShot=True, interval=0)
        self._idle.timeout.connect(self._make_layer)
        self._previews = previews = Previews(session.engine, self._live.feed)
        self._checkpoint = CheckpointView(
            viewer, session, images, previews, self._view, panel
        )
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
        self._checkpoint.look_at(name)

    def _leave_a_core(self) -> None:
        """Tell the engine of a stroke that may go on for long before there is news."""
        if self._live.state == "training":
            self._live.feed.ask(AtWork())

    def _follow_state(self, state: str) -> None:
        if state in ("stopping", "idle"):
            self._previews.stop()
        if state == "starting":
            self._pinned = None
            self._checkpoint.forget_gone()

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
        self._checkpoint.follow()

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
            subject = self._live.subjects.of(target, planes=[region.plane])
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
                self._pinned = (
                    self._images.layer,
                    middle_on_screen(self._viewer, self._images.target(), _SMALL),
                )
            layer, region = self._pinned
            target = self._session.target(layer)
            subject = self._live.subjects.of(target, planes=[region.plane])
            folder = str(self._live.outcome.folder_of(checkpoint))
            self._previews.show(
                View(target, subject, region, self._config(), folder, small=True)
            )
        except UnetError as error:
            self.told.emit(str(error))

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
            self._checkpoint.shown(view)
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
