"""The numbers of objects, in a plane and through the slices of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import psutil

from napari_unet.inference.objects import find_objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.inference.config import PredictConfig
    from napari_unet.inference.events import Labels
    from napari_unet.models import ModelSpec

    Place = tuple[int, ...]

# Bytes a pixel, at most, while the objects of a volume are found.
FINDING = 24


class Numbering:
    """Finds objects in classes and heights, and numbers them on from those before.

    Each slice of a volume has numbers of its own until all of it is there: then
    `join` gives an object one number in all its slices.

    Parameters
    ----------
    labels : Labels
        Where classes are, and objects are written.
    spec : ModelSpec
        Of the model that predicts.
    config : PredictConfig
        How objects are found.

    Attributes
    ----------
    objects : int
        How many there are so far.
    """

    def __init__(self, labels: Labels, spec: ModelSpec, config: PredictConfig) -> None:
        self.objects = 0
        self._labels = labels
        self._spec = spec
        self._config = config
        self._before = 0
        self._places: list[Place] = []
        self._heights: list[NDArray[np.uint8] | None] = []

    def begin_volume(self) -> None:
        """Begin a volume: the planes before are done, and numbers go on from theirs."""
        self._before = self.objects
        self._places.clear()
        self._heights.clear()

    def add_plane(self, at: Place, height: NDArray[np.uint8] | None) -> int:
        """Give the objects of a plane numbers; return how many they are.

        Parameters
        ----------
        at : tuple of int
            Which plane, along the axes of the stack; its classes are there.
        height : ndarray, (Y, X), uint8, or None
            See `find_objects`.
        """
        if self._labels.instances is None:
            return 0
        self._places.append(at)
        self._heights.append(height)
        semantic = np.ascontiguousarray(self._labels.semantic[at])
        return self._write([at], semantic, height, self.objects)

    def fits(self) -> bool:
        """Tell whether there is the memory to join the planes of the volume."""
        pixels = len(self._places) * self._labels.semantic[self._places[0]].size
        return bool(pixels * FINDING < psutil.virtual_memory().available)

    def join(self) -> int:
        """Give the objects of the volume numbers anew; return how many they are."""
        semantic = np.stack([self._labels.semantic[at] for at in self._places])
        heights = [height for height in self._heights if height is not None]
        self._heights.clear()
        height = np.stack(heights) if heights else None
        return self._write(self._places, semantic, height, self._before)

    def _write(
        self,
        places: list[Place],
        semantic: NDArray[np.uint8],
        height: NDArray[np.uint8] | None,
        before: int,
    ) -> int:
        assert self._labels.instances is not None
        numbers = find_objects(semantic, height, self._spec, self._config)
        found = int(numbers.max())
        np.add(numbers, before, out=numbers, where=numbers > 0)
        planes = numbers.reshape(-1, *numbers.shape[-2:])
        for at, plane in zip(places, planes, strict=True):
            self._labels.instances[at] = plane
        self.objects = before + found
        return found
