"""Which channel of each image a model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer

    from napari_unet.images import Image


class Channels:
    """The channels that the user has chosen, and for other images the usual ones."""

    def __init__(self) -> None:
        self._chosen: WeakKeyDictionary[ImageLayer, int | None] = WeakKeyDictionary()

    def choose(self, layer: ImageLayer, channel: int | None) -> None:
        """Let models see one channel of an image, or all if None."""
        self._chosen[layer] = channel

    def of(self, layer: ImageLayer, image: Image) -> int | None:
        """Return the channel of a layer, opened as `image`; None for all of them.

        The first one unless another is chosen; of a colour picture all.
        """
        usual = None if image.rgb or image.n_channels == 1 else 0
        channel = self._chosen.get(layer, usual)
        # The axes may have been named anew.
        return usual if channel is not None and channel >= image.n_channels else channel
