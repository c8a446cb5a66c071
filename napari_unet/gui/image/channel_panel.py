"""What models see of the chosen image: one of its channels, some, or all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_unet.gui.image.channels import ChannelChoice
from napari_unet.gui.image.choices import channel_choices, channel_parts
from napari_unet.gui.image.some_channels import SomeChannels
from napari_unet.gui.parts.forms import compact, offer, row

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer

    from napari_unet.gui.image.channels import Channels
    from napari_unet.images import Image


class ChannelPanel(QWidget):
    """The choice of channels, or of layers that are channels; hidden without any.

    Attributes
    ----------
    changed : Signal
        Models see something else.
    """

    changed = Signal()

    def __init__(self, channels: Channels) -> None:
        super().__init__()
        self._channels = channels
        self._layer: ImageLayer | None = None
        self._image: Image | None = None
        self.box = QComboBox(
            toolTip="What the model sees: the channel on screen, until you choose one "
            "or paint; some or all; or several layers as channels, the lowest one first"
        )
        compact(self.box)
        self.some = SomeChannels()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row("Channel", self.box))
        column.addWidget(self.some)
        self.box.currentIndexChanged.connect(self._choose)
        self.some.chosen.connect(self._see)

    @property
    def seen(self) -> tuple[int, ...]:
        """The channels that models see; none stands for all."""
        chosen = self.box.currentData()
        return chosen.channels if isinstance(chosen, ChannelChoice) else ()

    def show_of(self, layer: ImageLayer | None, image: Image | None) -> None:
        """Offer what a layer has, opened as `image`; nothing without one."""
        self._layer, self._image = layer, image
        self.some.hide()
        choices = channel_choices(self._channels, layer, image)
        at = -1
        if choices and layer is not None and image is not None:
            seen = self._channels.seen(layer, image)
            at = [choice for _, choice in choices].index(seen)
        offer(self.box, choices, at)
        self.setVisible(len(choices) > 1)

    def follow_slider(self, image: Image) -> None:
        """Show the channel on screen, where that is the one that models see."""
        layer = self._layer
        if layer is None or not self.box.count():
            return
        if self._channels.seen(layer, image) != self.box.currentData():
            self.show_of(layer, image)
            self.changed.emit()

    def _choose(self, index: int) -> None:
        chosen = self.box.currentData()
        if isinstance(chosen, ChannelChoice):
            self._see(chosen)
        elif self._layer is not None and self._image is not None:
            layer, image = self._layer, self._image
            self.show_of(layer, image)
            seen = self._channels.seen(layer, image)
            if not seen.channels:
                seen = replace(seen, channels=tuple(range(image.n_channels)))
            parts = channel_parts(self._channels, layer, image)
            self.some.ask(parts, seen, needed=ChannelChoice(layers=(layer,)))

    def _see(self, seen: ChannelChoice) -> None:
        assert self._layer is not None
        self._channels.choose(self._layer, seen)
        self.show_of(self._layer, self._image)
        self.changed.emit()
