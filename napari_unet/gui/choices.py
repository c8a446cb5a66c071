"""What of an image a user may choose: its channels and its slices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer

    from napari_unet.gui.channels import Channels, Layers
    from napari_unet.images import Image

_COLOURS = ("Red", "Green", "Blue")


def channel_choices(
    channels: Channels, layer: ImageLayer | None, image: Image | None
) -> list[tuple[str, Any]]:
    """Return texts, and for each a channel, None for all, or several layers.

    Parameters
    ----------
    channels : Channels
        Knows which layers could be channels of one image.
    layer : napari.layers.Image or None
        The one that is chosen.
    image : Image or None
        What it was opened as.
    """
    if image is None or layer is None:
        return []
    if image.rgb:
        return [("All colours", None), *((c, i) for i, c in enumerate(_COLOURS))]
    if image.n_channels > 1:
        numbered = [(f"Channel {i}", i) for i in range(image.n_channels)]
        return [*numbered, ("All channels", None)]
    joins = [(_text(layer, join), join) for join in channels.joins(layer, image)]
    return [("This layer alone", None), *joins] if joins else []


def slice_choices(image: Image | None) -> list[tuple[str, str]]:
    """Return texts, and "one" or "all" for each; nothing without a stack."""
    count = 1 if image is None else math.prod(image.stack_shape)
    if count == 1:
        return []
    return [("The slice on screen", "one"), (f"All {count} slices", "all")]


def _text(layer: ImageLayer, layers: Layers) -> str:
    others = [other.name for other in layers if other is not layer]
    return f"With '{others[0]}'" if len(others) == 1 else f"All {len(layers)} layers"
