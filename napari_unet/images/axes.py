"""Axis letters: which ones there are, and a guess where a file names none."""

from collections.abc import Sequence

from napari_unet.errors import ImageError

UNKNOWN = "?"
_MOST_CHANNELS = 4
_STACK_LETTERS = "ZTPQVHEARLI"


def check_axes(axes: str, shape: Sequence[int]) -> None:
    """Raise `ImageError` unless `axes` names each axis of `shape` once, Y and X too."""
    if len(axes) != len(shape):
        raise ImageError(
            f"The image has {len(shape)} axes, of sizes {tuple(shape)}, but "
            f"{len(axes)} are named: '{axes}'. Name each axis once, e.g. "
            f"'{'TCZYX'[-len(shape) :]}'."
        )
    if len(set(axes)) < len(axes) or not axes.isalpha() or not axes.isupper():
        raise ImageError(
            f"'{axes}' does not name the axes of an image. Use one capital letter for "
            "each axis, none of them twice: T, C, Z, Y, X."
        )
    if not {"Y", "X"} <= set(axes):
        raise ImageError(
            f"The axes '{axes}' lack Y or X. An image needs rows (Y) and columns (X)."
        )
    if 0 in shape:
        raise ImageError(f"The image is empty: its size is {tuple(shape)}.")


def guess_axes(shape: Sequence[int], axes: str | None = None) -> tuple[str, bool]:
    """Name the axes that nothing names.

    A last axis of at most four is the channels (three or four: a colour picture),
    the last two others are Y and X, a leading axis of at most four is the channels
    where there are none yet, and what is left is Z, then T.

    Parameters
    ----------
    shape : sequence of int
        The size of each axis.
    axes : str, optional
        The letters that are known, ``?`` for each one that is not.

    Returns
    -------
    axes : str
        All letters.
    rgb : bool
        Whether the channels that were found look like red, green and blue.

    Raises
    ------
    ImageError
        If there are fewer than two axes.
    """
    letters = list(axes or UNKNOWN * len(shape))
    if len(letters) < 2:
        raise ImageError(
            f"This is no image: it has {len(letters)} axes. An image needs at least "
            "two, rows and columns."
        )
    rgb = False
    if (
        len(letters) >= 3
        and letters[-1] == UNKNOWN
        and not {"C", "Y", "X"} & set(letters)
        and shape[-1] <= _MOST_CHANNELS < min(shape[-3:-1])
    ):
        letters[-1] = "C"
        rgb = shape[-1] >= 3
    for letter in "XY":
        if letter not in letters and UNKNOWN in letters:
            letters[_last_unknown(letters)] = letter
    unknown = [i for i, letter in enumerate(letters) if letter == UNKNOWN]
    few = [i for i in unknown if shape[i] <= _MOST_CHANNELS]
    if few and "C" not in letters:
        letters[min(few, key=lambda i: shape[i])] = "C"
    for letter in _STACK_LETTERS:
        if letter not in letters and UNKNOWN in letters:
            letters[_last_unknown(letters)] = letter
    return "".join(letters), rgb


def guess_note(shape: Sequence[int], axes: str) -> str:
    """Say in words how the axes were taken."""
    taken = " x ".join(f"{n} {letter}" for n, letter in zip(shape, axes, strict=True))
    return f"Not all axes of this image are named; it was taken as {taken}."


def size_text(shape: Sequence[int]) -> str:
    """Say a size in words: ``"3 x 20 x 30"``."""
    return " x ".join(map(str, shape))


def _last_unknown(letters: Sequence[str]) -> int:
    return max(i for i, letter in enumerate(letters) if letter == UNKNOWN)
