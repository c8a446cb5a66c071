"""How large objects are, and how much an image is scaled for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_unet.errors import ModelError
from napari_unet.instances import diameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.models import ModelSpec

# Of fewer objects a median says little.
FEWEST = 5
# Nets tolerate other sizes a little; a second look costs as much as the first.
NEAR = 1.15
MOST = 8.0


def typical_diameter(objects: NDArray[np.integer]) -> float | None:
    """Return the median diameter of some objects, None if there are too few.

    Parameters
    ----------
    objects : ndarray
        Ids of any shape; 0 is background.
    """
    sizes = diameters(objects)
    return float(np.median(sizes)) if len(sizes) >= FEWEST else None


def check_knows_size(spec: ModelSpec) -> None:
    """Raise if a model does not know how large its own objects were.

    Raises
    ------
    ModelError
    """
    if spec.diameter is None:
        raise ModelError(
            f"The model '{spec.name}' does not know how large the objects were that "
            "it was trained on. Leave out the diameter, or train it on masks of "
            "objects."
        )


def scale_for(spec: ModelSpec, diameter: float | None) -> float:
    """Return how many times as large the model should see an image.

    Parameters
    ----------
    spec : ModelSpec
        Of the model.
    diameter : float or None
        Of the image's objects, in pixels; None leaves the image as it is.

    Raises
    ------
    ModelError
        If the model does not know how large its own objects were.
    """
    if diameter is None:
        return 1.0
    check_knows_size(spec)
    assert spec.diameter is not None
    scale = spec.diameter / diameter
    return 1.0 if 1 / NEAR < scale < NEAR else min(max(scale, 1 / MOST), MOST)
