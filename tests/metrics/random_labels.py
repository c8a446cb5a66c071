"""Label images by chance, the same ones wherever they are made."""

import numpy as np


def random_pairs(n=12):
    """Yield pairs of label images, the second a disturbed copy of the first."""
    for seed in range(n):
        random = np.random.RandomState(seed)
        truth = np.zeros((96, 96), np.int32)
        found = np.zeros((96, 96), np.int32)
        for number in range(1, 25):
            y, x, height, width = np.add(
                random.randint(0, (80, 80, 14, 14)), (0, 0, 3, 3)
            )
            truth[y : y + height, x : x + width] = number
            # Some are not found, some are moved, some are found twice.
            fate = random.randint(10)
            dy, dx = random.randint(-1, 2, 2) * (fate > 3)
            if fate:
                y, x = max(y + dy, 0), max(x + dx, 0)
                found[y : y + height, x : x + width] = number
            if fate == 1:
                found[y : y + height // 2, x : x + width] = number + 100
        yield _without_gaps(truth), _without_gaps(found)


def _without_gaps(labels):
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
