"""Pixels to the engine, and their labels back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.engine.messages import Predict
from napari_unet.errors import EngineError
from napari_unet.gui.predict.results import narrow
from napari_unet.images import bands
from napari_unet.inference.volumes import volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_unet.engine.arrays import SharedArray
    from napari_unet.engine.client import Engine
    from napari_unet.images import Image, IntensityRange
    from napari_unet.inference import PredictConfig


@dataclass(frozen=True)
class PlaneLabels:
    """The labels of one plane, ``(Y, X)`` each, in memory of their own.

    Attributes
    ----------
    plane : dict
    semantic : ndarray, uint8
    instances : ndarray, uint16 or uint32, or None
        As `results.narrow` returns them; None where no objects were looked for.
    """

    plane: dict[str, int]
    semantic: NDArray[np.uint8]
    instances: NDArray[np.unsignedinteger] | None


class Exchange:
    """The pixels and labels of some planes, where both processes see them.

    Parameters
    ----------
    engine : Engine
    image : Image
    read : tuple of int
        Its channels that the model sees, each once.
    planes : sequence of mapping
        The slices of a volume, or planes that have nothing to do with each other.
    with_objects : bool
        Whether objects are looked for.

    Attributes
    ----------
    axis : str
        Along which the planes are with the engine: Z those of a volume, else T.

    Raises
    ------
    EngineError
        If the disk cannot hold them; nothing is left behind.
    """

    def __init__(
        self,
        engine: Engine,
        image: Image,
        read: tuple[int, ...],
        planes: Sequence[Mapping[str, int]],
        with_objects: bool,
    ) -> None:
        self.axis = "Z" if len(volumes(planes)) == 1 else "T"
        self._engine = engine
        self._image = image
        self._read = read
        self._planes = planes
        self._arrays: list[SharedArray] = []
        try:
            self._pixels = self._new(image.dtype, len(read))
            self._semantic = self._new(np.uint8)
            self._instances = self._new(np.uint32) if with_objects else None
        except EngineError:
            self.remove()
            raise

    def fill(self, check: Callable[[], None]) -> None:
        """Copy the pixels, and ask again and again whether to go on."""
        for i, plane in enumerate(self._planes):
            for band in bands(self._image, plane):
                check()
                rows, columns = band.slices
                pixels = self._image.read(band, self._read)
                # None is held on to: Windows does not remove a file that is mapped.
                self._pixels.open()[i, :, rows, columns] = pixels

    def request(
        self, intensity: IntensityRange, model: str, config: PredictConfig
    ) -> Predict:
        """Return what tells the engine to predict what is there."""
        return Predict(
            pixels=self._pixels,
            axes=f"{self.axis}CYX",
            rgb=self._image.rgb and len(self._read) > 1,
            name=self._image.name,
            intensity=intensity,
            model=model,
            config=config,
            semantic=self._semantic,
            instances=self._instances,
        )

    def labels(self, i: int, before: int) -> PlaneLabels:
        """Return those of one of the planes; objects are numbered on from `before`."""
        instances = None
        if self._instances is not None:
            numbers = self._instances.open("r")[i]
            instances = narrow(np.where(numbers, numbers + np.uint32(before), 0))
        semantic = self._semantic.open("r")[i].copy()
        return PlaneLabels(dict(self._planes[i]), semantic, instances)

    def remove(self) -> None:
        """Remove the arrays."""
        for array in self._arrays:
            array.remove()

    def _new(self, dtype: Any, *channels: int) -> SharedArray:
        shape = (len(self._planes), *channels, *self._image.plane_shape)
        array = self._engine.array(shape, np.dtype(dtype).newbyteorder("="))
        self._arrays.append(array)
        return array
