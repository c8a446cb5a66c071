"""From the maps of a plane to its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.instances import label_components, label_hills

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.inference.config import PredictConfig
    from napari_unet.models import ModelSpec


def needs_height(spec: ModelSpec, config: PredictConfig) -> bool:
    """Tell whether objects are found as hills of the net's map."""
    return config.instances == "watershed" and spec.valley is not None


def find_objects(
    semantic: NDArray[np.uint8],
    height: NDArray[np.uint8] | None,
    spec: ModelSpec,
    config: PredictConfig,
) -> NDArray[np.uint32]:
    """Give each object of a plane a number.

    Parameters
    ----------
    semantic : ndarray, (Y, X), uint8
        Classes; 0 is background.
    height : ndarray, (Y, X), uint8, or None
        From `PreparedNet.maps`; needed where `needs_height` says so.
    spec : ModelSpec
        Of the model that predicted them.
    config : PredictConfig
        How.

    Returns
    -------
    ndarray, (Y, X), uint32
        1 to n; 0 is background.
    """
    size, holes = config.min_size, config.fill_holes
    if needs_height(spec, config):
        assert height is not None and spec.valley is not None
        return label_hills(
            semantic, height, valley=spec.valley, min_size=size, fill_holes=holes
        )
    return label_components(semantic, min_size=size, fill_holes=holes)
