"""What of an image a user may choose: its channels and its slices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_unet.gui.image.channels import ChannelChoice

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer

    from napari_unet.gui.image.channels import Channels
    from napari_unet.images import Image

_COLOURS = ("Red", "Green", "Blue")
SOME = "Some of them…"


def channel_parts(
    channels: Channels, layer: ImageLayer, image: Image
) -> dict[str, ChannelChoice]:
    """Return each single channel that models may see, or layer that may be one.

    Parameters
    ----------
    channels : Channels
        Knows which layers could be channels of one image.
    layer : napari.layers.Image
        The one that is chosen.
    image : Image
        What it was opened as.
    """
    if image.rgb:
        return {colour: ChannelChoice((i,)) for i, colour in enumerate(_COLOURS)}
    if image.n_channels > 1:
        return {f"Channel {i}": ChannelChoice((i,)) for i in range(image.n_channels)}
    alike = channels.alike(layer, image)
    return {other.name: ChannelChoice(layers=(other,)) for other in alike}


def channel_choices(
    channels: Channels, layer: ImageLayer | None, image: Image | None
) -> list[tuple[str, ChannelChoice | None]]:
    """Return texts, and what models see by each; None by `SOME` of many.

    The parameters are those of `channel_parts`; nothing is there to choose from where
    there is no layer or image.
    """
    if image is None or layer is None:
        return []
    parts = channel_parts(channels, layer, image)
    choices: list[tuple[str, ChannelChoice | None]]
    if image.n_channels > 1:
        everything = "All colours" if image.rgb else "All channels"
        choices = [(everything, ChannelChoice()), *parts.items()]
        seen = ChannelChoice(channels.of(layer, image))
        if all(seen != choice for _, choice in choices):
            choices.append((_some(image, seen), seen))
        # One and all are there already.
        more = len(parts) > 2
    else:
        joins = [ChannelChoice(layers=join) for join in channels.joins(layer, image)]
        if not joins:
            return []
        choices = [("This layer alone", ChannelChoice())]
        choices += [(_with(layer, join, len(parts)), join) for join in joins]
        # So are two and all.
        more = len(parts) > 3
    return [*choices, (SOME, None)] if more else choices


def slice_choices(image: Image | None) -> list[tuple[str, str]]:
    """Return texts, and "one" or "all" for each; nothing without a stack."""
    count = 1 if image is None else math.prod(image.stack_shape)
    if count == 1:
        return []
    return [("The slice on screen", "one"), (f"All {count} slices", "all")]


def _some(image: Image, seen: ChannelChoice) -> str:
    """Return what some of an image's channels are called."""
    if image.rgb:
        return _listed([_COLOURS[channel] for channel in seen.channels])
    return f"Channels {_listed([str(channel) for channel in seen.channels])}"


def _with(layer: ImageLayer, join: ChannelChoice, count: int) -> str:
    """Return what joined layers are called, of `count` that could be joined."""
    if 2 < count == len(join.layers):
        return f"All {count} layers"
    others = [f"'{other.name}'" for other in join.layers if other is not layer]
    return f"With {_listed(others)}"


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
