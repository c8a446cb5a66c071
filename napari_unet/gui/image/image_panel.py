"""Which image, which channel, which slices."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari.layers import Image as ImageLayer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_unet.errors import ImageError, UnetError
from napari_unet.gui.image.channel_panel import ChannelPanel
from napari_unet.gui.image.choices import slice_choices
from napari_unet.gui.image.source import image_of, plane_on_screen
from napari_unet.gui.image.target import MARK
from napari_unet.gui.parts.forms import compact, follow, hint, offer, row

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.image.target import Target
    from napari_unet.gui.session import UnetSession
    from napari_unet.images import Image

_HOW_TO_NAME = (
    "To change that, double-click the name left of a slider and type t, z or c."
)

_MISSING = (
    "This image was labelled on {} layers as channels, and not all of them are open, "
    "or others are too. The model sees this one alone: open them, or choose others "
    "under Channel."
)

_LABELLED = (
    "The axes stay {}, as the labels of this image were painted. To name them anew, "
    "remove the image and its label layers, and open it again; the labels are kept."
)


class ImagePanel(QWidget):
    """The choice of an image layer, a channel and slices.

    Attributes
    ----------
    image_changed : Signal
        Another image layer was chosen.
    channel_changed : Signal
        Other channels of it were.
    """

    image_changed = Signal()
    channel_changed = Signal()

    def __init__(self, viewer: Viewer, session: UnetSession) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self._layers: list[ImageLayer] = []
        self._shown: ImageLayer | None = None
        self._followed: WeakSet[ImageLayer] = WeakSet()

        self.images = QComboBox(
            toolTip="The image to segment: that of the layer that is selected"
        )
        self.channels = ChannelPanel(session.channels)
        self.slices = QComboBox(
            toolTip="Segment only the slice on screen, or each slice of the stack"
        )
        self.note = hint("What was guessed about the image's axes")
        for box in (self.images, self.slices):
            compact(box)
        self._slices = row("Slices", self.slices)
        column = QVBoxLayout(self)
        # In one column with the fields of the sections.
        column.setContentsMargins(4, 0, 0, 0)
        column.addWidget(row("Image", self.images))
        column.addWidget(self.channels)
        column.addWidget(self._slices)
        column.addWidget(self.note)
        self.images.currentIndexChanged.connect(self._choose_image)
        self.channels.changed.connect(self._show_note)
        self.channels.changed.connect(self.channel_changed)

        layers = viewer.layers
        follow(
            self,
            (layers.events.inserted, self._list_images),
            (layers.events.removed, self._list_images),
            (layers.events.reordered, self._list_images),
            (layers.events.renamed, self._list_images),
            (layers.selection.events.active, self._follow_active),
            (viewer.dims.events.axis_labels, self._show_choices),
            (viewer.dims.events.point, self._follow_slider),
            # Labels that are gone on with have a channel of their own.
            (session.annotations.images_changed, self._show_choices),
        )
        self._list_images()
        self._follow_active()

    @property
    def layer(self) -> ImageLayer | None:
        """The chosen layer."""
        index = self.images.currentIndex()
        return self._layers[index] if 0 <= index < len(self._layers) else None

    def target(self) -> Target:
        """Return the chosen image and its layer.

        Raises
        ------
        ImageError
            If there is none, or it cannot be read as an image.
        """
        if self.layer is None:
            raise ImageError(
                "There is no image yet. Open one with File > Open, or a sample "
                "with File > Open Sample > U-Net."
            )
        return self._session.target(self.layer)

    def planes(self, image: Image) -> list[dict[str, int]]:
        """Return the planes of `image` that were asked for."""
        if self.slices.currentData() == "all":
            return list(image.planes())
        return [plane_on_screen(self.layer, image, self._viewer.dims.point)]

    def _list_images(self, event: Any = None) -> None:
        chosen = self.layer
        # What the plugin shows itself, such as feature maps, is nothing to segment.
        self._layers = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, ImageLayer) and MARK not in layer.metadata
        ]
        for layer in self._layers:
            if layer not in self._followed:
                self._followed.add(layer)
                # Scripts give a layer other pixels, with more slices or channels.
                follow(self, (layer.events.data, self._show_choices))
        self.images.blockSignals(True)
        self.images.clear()
        self.images.addItems([layer.name for layer in self._layers])
        if chosen in self._layers:
            self.images.setCurrentIndex(self._layers.index(chosen))
        self.images.blockSignals(False)
        self._show_choices()

    def _follow_active(self, event: Any = None) -> None:
        image = self._session.image_under(self._viewer.layers.selection.active)
        if image in self._layers:
            self.images.setCurrentIndex(self._layers.index(image))

    def _choose_image(self, index: int) -> None:
        """Select the chosen image among the layers, too.

        A result layer that is added hands the selection back to what had it, and the
        image under that would be chosen again.
        """
        selection = self._viewer.layers.selection
        if index >= 0 and self._session.image_under(selection.active) is not self.layer:
            selection.active = self.layer
        self._show_choices()

    def _show_choices(self, event: Any = None) -> None:
        """Offer the channels and slices that the chosen image has."""
        image = self._show_note()
        self.channels.show_of(self.layer, image)
        slices = slice_choices(image)
        same = self.slices.currentIndex() if self.layer is self._shown else 0
        offer(self.slices, slices, min(max(same, 0), len(slices) - 1))
        self._slices.setVisible(len(slices) > 1)
        if self.layer is not self._shown:
            self._shown = self.layer
            self.image_changed.emit()

    def _show_note(self) -> Image | None:
        """Say what the user should know of the chosen image; return it if it is one."""
        try:
            image = self.target().image
            note = self._note(image)
        except UnetError as error:
            image, note = None, str(error)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        return image

    def _follow_slider(self, event: Any = None) -> None:
        if self.layer is None or self.layer.rgb:
            return
        with suppress(UnetError):
            self.channels.follow_slider(self.target().image)

    def _note(self, image: Image) -> str:
        """Say what was guessed of the axes, or why they are not those of the sliders.

        Raises
        ------
        ImageError
            If the sliders name no axes of an image.
        """
        assert self.layer is not None
        named = image_of(self.layer, self._viewer.dims.axis_labels)
        if named.axes != image.axes:
            return _LABELLED.format(" ".join(image.axes))
        notes = [*named.notes, _HOW_TO_NAME] if named.notes else []
        if count := self._session.channels.missing(self.layer, image):
            notes.append(_MISSING.format(count))
        return " ".join(notes)
