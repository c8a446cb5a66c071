"""Which channels of an image go into a model."""

from napari_unet.errors import ImageError
from napari_unet.images.image import Image


def choose_channels(
    image: Image, wanted: int, channel: int | None = None
) -> tuple[int, ...]:
    """Choose the channels of an image that a model gets.

    A channel that the user chose, or the only one there is, is repeated as often as
    the model needs; otherwise the image must have as many as the model takes. The
    opacity of a colour picture is never used.

    Parameters
    ----------
    image : Image
        The image that the model is to see.
    wanted : int
        How many channels the model takes.
    channel : int, optional
        The one that the user chose, counted from 0.

    Returns
    -------
    tuple of int
        `wanted` channels of the image, counted from 0.

    Raises
    ------
    ImageError
        If the chosen channel does not exist or the numbers do not fit.
    """
    count = 3 if image.rgb else image.n_channels
    if channel is not None:
        if not 0 <= channel < count:
            raise ImageError(
                f"'{image.name}' has no channel {channel}: its channels are 0 to "
                f"{count - 1}. Choose one of these."
            )
        return (channel,) * wanted
    if count == 1:
        return (0,) * wanted
    if count == wanted:
        return tuple(range(count))
    kind = " (red, green, blue)" if image.rgb else ""
    raise ImageError(
        f"'{image.name}' has {count} channels{kind}, but the model takes {wanted}. "
        f"Choose one channel, from 0 to {count - 1}."
    )
