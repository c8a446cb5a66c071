"""Work on large images in pieces."""

from collections.abc import Iterator
from math import prod

PIXELS = 1 << 22


def blocks_of_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices along the first axis that hold about four million pixels.

    numpy turns labels that are used as indices into 64 bits; for a whole plane of 64
    megapixels that would be half a gigabyte.
    """
    rows = shape[0]
    step = max(1, PIXELS // prod(shape[1:]))
    for begin in range(0, rows, step):
        yield slice(begin, min(begin + step, rows))
