"""From the maps of a plane or a volume to its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.instances import label_components, label_hills

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.inference.config import PredictConfig
    from napari_unet.models import ModelSpec


# Of the valley in a plane, what is deep enough in a volume. The net sees each slice
# alone, so that its map sinks little between a cell and the one above it.
THROUGH_SLICES = 1 / 3


def needs_height(spec: ModelSpec, config: PredictConfig) -> bool:
    """Tell whether objects are found as hills of the net's map."""
    return config.instances == "watershed" and spec.valley is not None


def find_objects(
    semantic: NDArray[np.uint8],
    height: NDArray[np.uint8] | None,
    spec: ModelSpec,
    config: PredictConfig,
) -> NDArray[np.uint32]:
    """Give each object of a plane or a volume a number.

    Parameters
    ----------
    semantic : ndarray, ([Z,] Y, X), uint8
        Classes; 0 is background.
    height : ndarray, as `semantic`, uint8, or None
        From `PreparedNet.maps`; needed where `needs_height` says so.
    spec : ModelSpec
        Of the model that predicted them.
    config : PredictConfig
        How.

    Returns
    -------
    ndarray, as `semantic`, uint32
        1 to n; 0 is background. In a volume an object has one number in all slices.
    """
    size, holes = config.min_size, config.fill_holes
    if needs_height(spec, config):
        assert height is not None and spec.valley is not None
        valley = spec.valley * (THROUGH_SLICES if semantic.ndim > 2 else 1)
        return label_hills(
            semantic, height, valley=valley, min_size=size, fill_holes=holes
        )
    return label_components(semantic, min_size=size, fill_holes=holes)
