"""The dock "Model explorer": what is inside a net, and what it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from napari_unet.errors import ImageError, ModelError, UnetError
from napari_unet.gui.explore.inside import Look, look_inside, show_maps
from napari_unet.gui.explore.net_view import NetView
from napari_unet.gui.image.screen import tile_on_screen
from napari_unet.gui.image.target import MARK
from napari_unet.gui.parts.background import start
from napari_unet.gui.parts.docked import Docked
from napari_unet.gui.parts.forms import compact, follow, hint, row
from napari_unet.gui.predict.recent import recent_models, title_of
from napari_unet.gui.session import bare, session_of
from napari_unet.models.architecture import ARCHITECTURES, TITLES
from napari_unet.models.blueprint import blueprint, blueprint_of, fitting_sides
from napari_unet.models.drawing import explain

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image as ImageLayer
    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtGui import QShowEvent

    from napari_unet.models.steps import Blueprint

# For some lines: a longer text is neither to move the block away from under the mouse
# nor to cover others in a low dock.
_ROOM = "min-height: {}em"
_HOW = "Point at a block to read what it does; click it to see its feature maps."


class ModelExplorer(Docked):
    """Draws a net for a size of image, explains it, and shows its feature maps.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose image the net is shown.

    Attributes
    ----------
    shown : Signal
        The maps of a block are on screen, or the line says why not.
    """

    shown = Signal()

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        from napari_unet.models import base_models

        self.setObjectName("Model explorer")
        self._viewer = bare(napari_viewer)
        self._session = session_of(self._viewer)
        self._blueprint: Blueprint | None = None
        self._image: ImageLayer | None = None
        self.nets = QComboBox(
            toolTip="A net of the papers, or a trained model, which can show its maps"
        )
        compact(self.nets)
        for name in base_models():
            self.nets.addItem(f"Model: {name}", name)
        for folder in recent_models():
            self.nets.addItem(f"Model: {title_of(folder)}", str(folder))
        for name, title in TITLES.items():
            if name == "maskrcnn":
                # No chain of maps to draw.
                continue
            self.nets.addItem(title, name)
        self.height_box, self.width_box = (
            QSpinBox(minimum=1, maximum=4096, value=256, suffix=" px", toolTip=tip)
            for tip in ("Height of what the net is shown", "Width of it")
        )
        for box in (self.height_box, self.width_box):
            box.setKeyboardTracking(False)
        sides = QWidget()
        both = QHBoxLayout(sides)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(self.height_box)
        both.addWidget(self.width_box)
        self.view = NetView()
        self.text = hint("What the block under the mouse does")
        self.totals = hint("Of the whole net, for one tile of this size")
        for label, lines in ((self.text, 3), (self.totals, 2)):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            label.setStyleSheet(_ROOM.format(lines))

        column = QVBoxLayout(self)
        column.addWidget(row("Net", self.nets))
        column.addWidget(row("Tile", sides))
        column.addWidget(self.view, 1)
        column.addWidget(self.text)
        column.addWidget(self.totals)

        self.nets.currentIndexChanged.connect(self._draw)
        self.height_box.valueChanged.connect(self._draw)
        self.width_box.valueChanged.connect(self._draw)
        self.view.hovered.connect(self._explain)
        self.view.clicked.connect(self.show_maps)
        active = self._viewer.layers.selection.events.active
        follow(self, (active, self._follow_active))
        self._follow_active()
        self._draw()

    @property
    def tile(self) -> tuple[int, int]:
        """Height and width of the tile."""
        return self.height_box.value(), self.width_box.value()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the engine end with the window."""
        super().showEvent(event)
        self._session.end_with_window_of(self)

    def show_maps(self, place: int) -> None:
        """Show the feature maps of a step for the image that is open."""
        self.view.choose(place)
        self._explain(place)
        try:
            look = self._look(place)
        except UnetError as error:
            self._say(error)
            return
        from superqt.utils import create_worker

        worker = create_worker(
            look_inside,
            self._session.engine,
            look,
            _start_thread=False,
            _ignore_errors=True,
        )
        # Methods and no lambdas, since Qt forgets those of a window that is gone.
        worker.returned.connect(self._show)
        worker.errored.connect(self._say)
        start(worker)

    def _show(self, seen: tuple[Look, NDArray[np.float32]]) -> None:
        show_maps(self._viewer, *seen)
        self.shown.emit()

    def _look(self, place: int) -> Look:
        from napari_unet.models import read_spec

        name = str(self.nets.currentData())
        if name in ARCHITECTURES:
            raise ModelError("Choose a trained model under Net to see its maps.")
        if self._blueprint is None or self._blueprint.problem:
            raise ModelError("This size does not go through the net.")
        target = self._session.target(self._layer())
        channels = self._session.channels
        return Look(
            target.layer,
            channels.image(target.layer, target.image),
            channels.of(target.layer, target.image),
            tile_on_screen(self._viewer, target, self.tile),
            self.tile,
            name,
            read_spec(name),
            place,
        )

    def _follow_active(self, event: Any = None) -> None:
        """Look at the image that was active last: the maps are active after a click."""
        active = self._viewer.layers.selection.active
        if _is_image(active):
            self._image = active

    def _layer(self) -> ImageLayer:
        """Return the image that was active last, or the first one."""
        layers = [x for x in self._viewer.layers if _is_image(x)]
        if not layers:
            raise ImageError(
                "Open an image to see what the block makes of it: File > Open."
            )
        return self._image if self._image in layers else layers[0]

    def _draw(self) -> None:
        """Draw the chosen net for the chosen size."""
        from napari_unet.models import read_spec

        name = str(self.nets.currentData())
        try:
            if name in ARCHITECTURES:
                net = ARCHITECTURES[name]
                self._blueprint = layout = blueprint(net, *self.tile)
            else:
                spec = read_spec(name)
                net = spec.architecture
                self._blueprint = layout = blueprint_of(spec, *self.tile)
        except UnetError as error:
            self.totals.setText(str(error))
            return
        self.view.show_net(layout)
        self.text.setText(_HOW)
        if layout.problem:
            near = {n for side in self.tile for n in fitting_sides(net, side) if n}
            self.totals.setText(
                f"Does not fit: {layout.problem}. The nearest sizes that do: "
                f"{', '.join(map(str, sorted(near)))}."
            )
            return
        first, last = layout.steps[0], layout.steps[-1]
        self.totals.setText(
            f"{first.size} → {last.size} · {layout.parameters:,} parameters · "
            f"{layout.flop / 1e9:.1f} GFLOP · a pixel sees {layout.receptive_field} x "
            f"{layout.receptive_field} pixels"
        )

    def _explain(self, place: int) -> None:
        if self._blueprint is None:
            return
        step = self._blueprint.steps[place]
        figures = [f"{step.layer}: {step.size}"]
        if step.parameters:
            figures.append(f"{step.parameters:,} parameters")
        if step.flop:
            figures.append(f"{step.flop / 1e9:.2f} GFLOP")
        figures.append(f"sees {step.receptive_field} px")
        self.text.setText(f"{explain(step)} ({', '.join(figures)})")

    def _say(self, problem: Exception) -> None:
        self.text.setText(f"{self.text.text()}\n{problem}")
        self.shown.emit()


def _is_image(layer: Layer | None) -> TypeGuard[ImageLayer]:
    """Whether a layer is an image, and not the maps of one."""
    from napari.layers import Image as ImageLayer

    return isinstance(layer, ImageLayer) and MARK not in layer.metadata
