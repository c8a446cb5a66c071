"""The dock "U-Net", made of its panels."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QVBoxLayout
from superqt.utils import create_worker

from napari_unet.errors import UnetError
from napari_unet.gui.annotate.annotate_panel import AnnotatePanel
from napari_unet.gui.image.image_panel import ImagePanel
from napari_unet.gui.objects.objects_panel import ObjectsPanel
from napari_unet.gui.parts.background import start
from napari_unet.gui.parts.column import Column
from napari_unet.gui.parts.docked import Docked
from napari_unet.gui.parts.section import Section
from napari_unet.gui.predict.prediction_panel import PredictionPanel
from napari_unet.gui.session import bare, session_of
from napari_unet.gui.train.live_panel import LivePanel
from napari_unet.resources import resource

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent


class UnetWidget(Docked):
    """Segment an image of the viewer with a model.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The viewer that it is docked in.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.setObjectName("U-Net")
        self.setWindowIcon(QIcon(str(resource("icons/unet.svg"))))
        viewer = bare(napari_viewer)
        self.session = session_of(viewer)
        self.session.show_in(self)
        self._opened = False

        self.image_panel = ImagePanel(viewer, self.session)
        self.prediction_panel = PredictionPanel(viewer, self.session, self.image_panel)
        self.annotate_panel = AnnotatePanel(viewer, self.session, self.image_panel)
        self.objects_panel = ObjectsPanel(
            viewer, self.session, self.annotate_panel.label
        )
        self.annotate_panel.image_changed.connect(self.objects_panel.show_image)
        self.objects_panel.show_image(self.annotate_panel.image)
        self.live_panel = LivePanel(
            viewer,
            self.session,
            self.image_panel,
            self.prediction_panel.models,
            self.prediction_panel.controls,
        )
        self.prediction_panel.ended.connect(self.live_panel.view.show_again)
        # A preview has the classes that are trained.
        self.live_panel.view.shown.connect(self.prediction_panel.show_legend)
        column = Column(
            self.image_panel,
            Section(
                "Predict",
                self.prediction_panel,
                tooltip="Segment the image with a model",
                folded=False,
            ),
            Section(
                "Annotate",
                self.annotate_panel,
                tooltip="Paint what the pixels are, for training",
                folded=False,
            ),
            Section(
                "Objects",
                self.objects_panel,
                tooltip="Correct objects one by one, and learn from regions of them",
            ),
            Section(
                "Train",
                self.live_panel,
                tooltip="Let a model learn from what is painted, while you paint",
                folded=False,
            ),
        )
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(column)

        self.prediction_panel.models.model_changed.connect(self._suggest_classes)
        self._suggest_classes()

    def showEvent(self, event: QShowEvent) -> None:
        """Get the engine ready when the panel is first seen."""
        super().showEvent(event)
        if self._opened:
            return
        self._opened = True
        window = self.session.end_with_window_of(self)
        self.annotate_panel.keys.install(window)
        self.prediction_panel.ask_device()
        start(create_worker(_import_for_labels, _start_thread=False))

    def _suggest_classes(self) -> None:
        """Begin with the model's classes: what it knows of them is then kept."""
        with suppress(UnetError):
            self.session.annotations.suggest(
                self.prediction_panel.models.spec().classes
            )


def _import_for_labels() -> None:
    """Import what napari does with the first label layer, which would stop the window.

    It would also show a warning: napari has the filter for it in place during one of
    these imports, and a worker that ends meanwhile takes that away.
    """
    for name in ("pandas", "scipy.ndimage", "skimage.color.colorconv"):
        with suppress(ImportError):
            import_module(name)
