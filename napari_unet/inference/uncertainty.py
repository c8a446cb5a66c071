"""Where a net is not sure."""

import math

import numpy as np
from numpy.typing import NDArray


def uncertainty(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the entropy of the classes of each pixel, normalised (Shannon 1948).

    Parameters
    ----------
    probabilities : ndarray, (n_classes, Y, X), float32
        At least two classes, adding up to 1 along the first axis.

    Returns
    -------
    ndarray, (Y, X), float32
        0 where one class is certain, 1 where all are equally likely.
    """
    tiny = np.finfo(np.float32).tiny
    logs = np.log(np.maximum(probabilities, tiny))
    entropy: NDArray[np.float32] = -(probabilities * logs).sum(axis=0) / math.log(
        len(probabilities)
    )
    np.clip(entropy, 0, 1, out=entropy)
    return entropy
