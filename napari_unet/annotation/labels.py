"""The numbers that labels are: whole ones, and which of them are free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.errors import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import DTypeLike, NDArray


def next_id(ids: Iterable[int]) -> int:
    """Return a number above all `ids`: it and those after it are free.

    Where nothing is left above, as when 4,294,967,295 stands for what is to be ignored,
    it is the first of the longest run of free numbers.
    """
    taken = np.sort(np.fromiter([0, *ids], np.int64))
    if taken[-1] < np.iinfo(np.uint32).max:
        return int(taken[-1]) + 1
    return int(taken[np.diff(taken).argmax()]) + 1


def as_labels(values: NDArray[Any] | int, dtype: DTypeLike) -> NDArray[Any]:
    """Return labels as an integer `dtype`.

    Raises
    ------
    AnnotationError
        If they are no whole numbers or too large for it.
    """
    values = np.asarray(values)
    if values.dtype == dtype:
        return values
    check_whole(values)
    most = np.iinfo(dtype).max
    if values.size and (values.min() < 0 or values.max() > most):
        raise AnnotationError(
            f"These labels run from {values.min()} to {values.max()}; only 0 to "
            f"{most:,} can be kept. Relabel them first."
        )
    return values.astype(dtype)


def check_whole(values: NDArray[Any]) -> None:
    """Raise `AnnotationError` unless these are whole numbers by their type."""
    if values.dtype.kind not in "iub":
        raise AnnotationError(
            f"Labels are whole numbers, but these are of type {values.dtype.name}. "
            "Convert them to integers first."
        )
