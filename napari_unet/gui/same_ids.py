"""Objects that are found again keep their ids, and so their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def keep_ids(
    new: NDArray[np.uint32], old: NDArray[np.unsignedinteger], highest: int
) -> NDArray[np.uint32]:
    """Give objects the ids that they had before.

    Parameters
    ----------
    new : ndarray
        ``(Y, X)``, ids 1 to n, 0 elsewhere.
    old : ndarray
        ``(Y, X)``, the ids that were there.
    highest : int
        The highest id anywhere, inside and outside; objects that are new get those
        above it.

    Returns
    -------
    ndarray
        ``(Y, X)``: an object has the id of the old one that it shares most pixels
        with, unless another object shares more with that.
    """
    n = int(new.max(initial=0))
    both = (new > 0) & (old > 0)
    pairs = new[both].astype(np.uint64) << np.uint64(32) | old[both]
    pairs, shared = np.unique(pairs, return_counts=True)
    names = np.zeros(n + 1, np.uint32)
    taken: set[int] = set()
    for i in np.argsort(-shared, kind="stable"):
        index, before = int(pairs[i] >> np.uint64(32)), int(pairs[i]) & 0xFFFFFFFF
        if not names[index] and before not in taken:
            names[index] = before
            taken.add(before)
    unnamed = np.flatnonzero(names == 0)[1:]
    names[unnamed] = highest + 1 + np.arange(len(unnamed), dtype=np.uint32)
    return names[new]
