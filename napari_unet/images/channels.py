"""Which channels of an image go into a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from napari_unet.errors import ImageError
from napari_unet.images.image import Image


def choose_channels(
    image: Image, wanted: int, chosen: Sequence[int] = ()
) -> tuple[int, ...]:
    """Choose the channels of an image that a model gets.

    A single channel that the user chose, or the only one there is, is repeated as often
    as the model needs; otherwise there must be as many as the model takes. The opacity
    of a colour picture is never used.

    Parameters
    ----------
    image : Image
        The image that the model is to see.
    wanted : int
        How many channels the model takes.
    chosen : sequence of int
        Those that the user chose, counted from 0; none takes all that there are.

    Returns
    -------
    tuple of int
        `wanted` channels of the image, counted from 0.

    Raises
    ------
    ImageError
        If a chosen channel does not exist or the numbers do not fit.
    """
    count = 3 if image.rgb else image.n_channels
    for channel in chosen:
        if not 0 <= channel < count:
            there = "channel 0" if count == 1 else f"channels 0 to {count - 1}"
            raise ImageError(
                f"'{image.name}' has no channel {channel}, only {there}. Choose a "
                "channel that it has."
            )
    seen = tuple(chosen) or tuple(range(count))
    if len(seen) == 1:
        return seen * wanted
    if len(seen) == wanted:
        return seen
    kind = " (0 is red, 1 green, 2 blue)" if image.rgb else ""
    these = f", of which {len(seen)} are chosen" if chosen else ""
    ways = f"{wanted} channels or one" if 1 < wanted < count else "one channel"
    raise ImageError(
        f"'{image.name}' has {count} channels{kind}{these}, but the model takes "
        f"{wanted}. Choose {ways}, from 0 to {count - 1}, or a model of {len(seen)}."
    )


def join_channels(image: Image, parts: Sequence[Any]) -> Image:
    """Make one image of arrays that are a channel each; nothing is read or copied.

    Parameters
    ----------
    image : Image
        What the new one is like: its axes, none of which is C, and its name.
    parts : sequence of array-like
        Each of the shape of `image`; of numpy, dask or zarr.

    Returns
    -------
    Image
        Its last axis is C.
    """
    import dask.array as da

    # Without a name of its own, dask would read an array to make one.
    channels = [
        part if isinstance(part, da.Array) else da.from_array(part, name=False)
        for part in parts
    ]
    return replace(image, data=da.stack(channels, axis=-1), axes=f"{image.axes}C")
