"""The image that the command line's tests predict."""

import numpy as np

SQUARES = ((4, 6), (4, 30), (40, 20))


def squares(shape=(64, 48)):
    """Return a dark image with three bright squares of 10 pixels."""
    image = np.full(shape, 100, np.uint16)
    for y, x in SQUARES:
        image[..., y : y + 10, x : x + 10] = 1000
    return image
