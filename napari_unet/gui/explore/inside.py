"""The feature maps of a net for what is on screen, as an image layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.engine.messages import FeatureMaps
from napari_unet.errors import ImageError
from napari_unet.gui.image.source import layer_axes
from napari_unet.gui.image.target import MARK
from napari_unet.models.blueprint import blueprint_of

if TYPE_CHECKING:
    from napari.layers import Image as ImageLayer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.engine.client import Engine
    from napari_unet.images import Image, Region
    from napari_unet.models import ModelSpec
    from napari_unet.models.steps import Step

_MAPS = {"role": "maps"}


@dataclass(frozen=True)
class Look:
    """What to look at, and with which model.

    Attributes
    ----------
    layer : napari.layers.Image
    image : Image
        In the layer.
    channels : tuple of int
        Those that models see; none stands for all of them.
    region : Region
        The tile, inside the image; where it is smaller than `size` it is mirrored.
    size : (int, int)
        Height and width of what the net is shown.
    model : str
        A base model's name or a folder.
    spec : ModelSpec
        Its description.
    place : int
        Of the step in its blueprint.

    Raises
    ------
    ImageError
        If rows and columns are not among the last three axes of the layer.
    """

    layer: ImageLayer
    image: Image
    channels: tuple[int, ...]
    region: Region
    size: tuple[int, int]
    model: str
    spec: ModelSpec
    place: int

    def __post_init__(self) -> None:
        if not {"Y", "X"} <= set(self._last_axes):
            raise ImageError(
                f"Maps cannot be shown over '{self.layer.name}': its rows and columns "
                "are not among its last three axes. Transpose it first."
            )

    @property
    def step(self) -> Step:
        """The step whose maps are wanted."""
        return blueprint_of(self.spec, *self.size).steps[self.place]

    @property
    def axes(self) -> tuple[int, int, int]:
        """Which axes of the layer of maps go through the maps, their rows and columns.

        Rows and columns are those that they are in the image.
        """
        axes = self._last_axes
        (through,) = (i for i, axis in enumerate(axes) if axis not in "YX")
        return through, axes.index("Y"), axes.index("X")

    @property
    def _last_axes(self) -> str:
        return f"M{layer_axes(self.layer, self.image)}"[-3:]


def look_inside(engine: Engine, look: Look) -> tuple[Look, NDArray[np.float32]]:
    """Let the engine run the net; return the look and the maps, ``(channels, Y', X')``.

    It reads pixels and waits, so it belongs in a worker.
    """
    from napari_unet.images import choose_channels

    channels = choose_channels(look.image, look.spec.channels, look.channels)
    intensity = look.spec.normalisation.measure(look.image, channels)
    pixels = intensity.apply(look.image.read(look.region, channels))
    short = [n - m for n, m in zip(look.size, pixels.shape[1:], strict=True)]
    pixels = np.pad(pixels, ((0, 0), (0, short[0]), (0, short[1])), mode="symmetric")
    step = look.step
    shown = engine.share(pixels)
    try:
        maps = engine.array((step.channels, step.height, step.width), np.float32)
        try:
            engine.ask(FeatureMaps(shown, look.model, look.place, maps))
            return look, maps.open("r").copy()
        finally:
            maps.remove()
    finally:
        shown.remove()


def show_maps(viewer: Viewer, look: Look, maps: NDArray[np.float32]) -> Any:
    """Show maps over the part of the image that they are of; one slider goes through.

    The layer of an earlier look is replaced.
    """
    for old in [x for x in viewer.layers if x.metadata.get(MARK) == _MAPS]:
        viewer.layers.remove(old)
    step = look.step
    pixels = 1 << step.level
    origin = np.array([look.region.y0, look.region.x0], float)
    if getattr(look.spec.architecture, "padding", "same") == "valid":
        # What unpadded convolutions take off is the same at each side.
        left = np.array([step.height, step.width]) * pixels
        origin += (np.array(look.size) - left) / 2
    # The first pixel of a map has its middle in the middle of `pixels` of the image.
    first = origin + (pixels - 1) / 2
    return viewer.add_image(
        np.moveaxis(maps, (0, 1, 2), look.axes),
        name=f"{step.layer} maps",
        affine=_affine(look, first, pixels),
        # The maps go along the depth of a stack, whose unit napari wants them to have.
        units=("pixel", *look.layer.units)[-3:],
        colormap="viridis",
        metadata={MARK: _MAPS},
    )


def _affine(look: Look, first: NDArray[np.float64], pixels: int) -> NDArray[np.float64]:
    """Return where maps are whose pixels are `pixels` of the image wide.

    Parameters
    ----------
    look : Look
        Its layer may be scaled, moved, rotated.
    first : ndarray
        Where in its rows and columns the first pixel of the maps has its middle.
    pixels : int
        How many.
    """
    layer, (_, *plane) = look.layer, look.axes

    def world(at: NDArray[np.float64]) -> NDArray[np.float64]:
        known = dict(zip("YX", at, strict=True))
        whole = [known.get(axis, 0.0) for axis in layer_axes(layer, look.image)]
        # As in the maps, which have an axis more than a plane.
        return np.asarray((0.0, *layer.data_to_world(whole))[-3:])[plane]

    affine = np.eye(4)
    affine[plane, 3] = world(first)
    for axis, step in zip(plane, pixels * np.eye(2), strict=True):
        affine[plane, axis] = world(first + step) - world(first)
    return affine
