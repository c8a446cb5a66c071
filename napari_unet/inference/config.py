"""The settings of a prediction."""

from dataclasses import dataclass
from typing import Literal, get_args

from napari_unet.errors import UnetError

Instances = Literal["components", "none"]


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
    channel : int or None
        The channel of the image to use, counted from 0; None where it is clear.
    instances : {"components", "none"}
        How objects are found.
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
    channel: int | None = None
    instances: Instances = "components"
    min_size: int = 15
    fill_holes: bool = True

    def __post_init__(self) -> None:
        if self.tile is not None and not 16 <= self.tile <= 65536:
            raise UnetError(
                f"A tile of {self.tile} pixels cannot be used. Choose 16 to 65536, or "
                "none to let the free memory decide."
            )
        if self.channel is not None and self.channel < 0:
            raise UnetError(
                f"There is no channel {self.channel}. Channels are counted from 0."
            )
        if self.instances not in get_args(Instances):
            raise UnetError(
                f"Objects cannot be found by '{self.instances}'. Choose one of: "
                f"{', '.join(get_args(Instances))}."
            )
        if self.min_size < 0:
            raise UnetError(
                f"The smallest object cannot have {self.min_size} pixels. Choose 0 or "
                "more."
            )
