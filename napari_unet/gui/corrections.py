"""From a prediction to objects that the user corrects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbered_through(
    instances: NDArray[Any], semantic: NDArray[Any] | None, first_id: int = 1
) -> tuple[NDArray[np.uint32], dict[int, int]]:
    """Give the objects of a prediction ids of their own in every plane.

    Parameters
    ----------
    instances : ndarray, (..., Y, X), integers
        Ids of objects, which start anew in each plane; 0 is background.
    semantic : ndarray, (..., Y, X), integers, optional
        The class of each pixel.
    first_id : int
        The first id to give.

    Returns
    -------
    ndarray, (..., Y, X), uint32
        The ids, gapless from `first_id` on.
    dict of int to int
        The class of each id; 1 without `semantic`.
    """
    out = np.zeros(instances.shape, np.uint32)
    classes: dict[int, int] = {}
    for plane in np.ndindex(instances.shape[:-2]):
        ids, at, inverse = np.unique(
            instances[plane], return_index=True, return_inverse=True
        )
        new = np.zeros(len(ids), np.uint32)
        new[ids != 0] = np.arange((ids != 0).sum()) + first_id + len(classes)
        of = np.ones(len(ids), int) if semantic is None else semantic[plane].flat[at]
        for index, label in zip(new.tolist(), of.tolist(), strict=True):
            if index:
                classes[index] = max(int(label), 1)
        out[plane] = new[inverse].reshape(out[plane].shape)
    return out, classes
