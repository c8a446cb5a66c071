"""Work on large planes in pieces."""

from collections.abc import Iterator

PIXELS = 1 << 22


def blocks_of_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices of rows that hold about four million pixels.

    numpy turns labels that are used as indices into 64 bits; for a whole plane of 64
    megapixels that would be half a gigabyte.
    """
    height, width = shape
    step = max(1, PIXELS // width)
    for begin in range(0, height, step):
        yield slice(begin, min(begin + step, height))
