"""The settings of a prediction."""

from dataclasses import dataclass
from typing import Literal, get_args

from napari_unet.errors import UnetError

Instances = Literal["watershed", "components", "none"]
Diameter = float | Literal["auto"] | None


@dataclass(frozen=True)
class PredictConfig:
    """How to predict; the panel and the command line are made from it.

    Attributes
    ----------
    device : str
        "auto" takes CUDA, then MPS, then the CPU; or "cpu", "mps", "cuda", "cuda:1".
    tile : int or None
        Pixels along a tile at most; None chooses by the free memory. The result
        does not depend on it.
    channels : tuple of int
        The channels of the image to use, counted from 0; none takes all.
    instances : {"watershed", "components", "none"}
        How objects are found. "watershed" parts cells that touch, where the model has
        learnt boundaries, and is "components" with other models; "components" takes
        connected areas of a class; "none" finds classes only.
    diameter : float, "auto" or None
        Of the image's objects, in pixels: the image is seen so much larger or smaller
        that they have the size the model was trained on. "auto" takes the size that
        a first look at the middle plane finds; None leaves the image as it is.
    flips : bool
        Whether the net looks at the image from four sides and the mean is taken: four
        times slower.
    min_size : int
        Objects with fewer pixels are left out.
    fill_holes : bool
        Whether holes inside an object become part of it.

    Raises
    ------
    UnetError
        If a setting is out of its range.
    """

    device: str = "auto"
    tile: int | None = None
    channels: tuple[int, ...] = ()
    instances: Instances = "watershed"
    diameter: Diameter = None
    flips: bool = False
    min_size: int = 30
    fill_holes: bool = True

    def __post_init__(self) -> None:
        if self.tile is not None and not 16 <= self.tile <= 65536:
            raise UnetError(
                f"A tile of {self.tile} pixels cannot be used. Choose 16 to 65536, or "
                "leave it out: the free memory decides then."
            )
        if any(channel < 0 for channel in self.channels):
            raise UnetError(
                f"There is no channel {min(self.channels)}. Channels are counted from "
                "0."
            )
        if self.instances not in get_args(Instances):
            raise UnetError(
                f"Objects cannot be found by '{self.instances}'. Choose one of: "
                f"{', '.join(get_args(Instances))}."
            )
        if isinstance(self.diameter, float | int) and not 1 <= self.diameter <= 10_000:
            raise UnetError(
                f"Objects cannot have a diameter of {self.diameter:g} pixels. Give 1 "
                "to 10000, or auto."
            )
        if self.min_size < 0:
            raise UnetError(
                f"The smallest object cannot have {self.min_size} pixels. Choose 0 or "
                "more."
            )


def parse_diameter(text: str | None) -> Diameter:
    """Return what a user wrote as a diameter.

    Parameters
    ----------
    text : str or None
        A number of pixels, or "auto"; nothing is None.

    Raises
    ------
    UnetError
        If it is something else.
    """
    word = (text or "").strip().lower()
    if not word:
        return None
    if word == "auto":
        return "auto"
    try:
        return float(word)
    except ValueError:
        raise UnetError(
            f"'{text}' is no diameter. Give a number of pixels, or auto."
        ) from None


def parse_channels(text: str | None) -> tuple[int, ...]:
    """Return what a user wrote as channels.

    Parameters
    ----------
    text : str or None
        Numbers with commas between them; nothing is no choice.

    Raises
    ------
    UnetError
        If it is something else, or one comes twice.
    """
    try:
        channels = tuple(int(number) for number in text.split(",")) if text else ()
    except ValueError:
        raise UnetError(
            f"'{text}' are no channels. Give their numbers, counted from 0, with "
            "commas between them."
        ) from None
    if len(set(channels)) < len(channels):
        raise UnetError(f"Of the channels {text} one comes twice. Give each once.")
    return channels
