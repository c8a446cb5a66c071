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
        The highest id anywhere, inside and outside. Objects that are new get the ids
        of those that are gone, if they lay inside, and then those above it: else ids
        would soon need 32 bits, and napari long to draw them.

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
    edges = old[0], old[-1], old[:, 0], old[:, -1]
    going_on = {int(i) for edge in edges for i in np.unique(edge)}
    gone = sorted({*np.unique(old).tolist()} - taken - going_on - {0})
    above = range(highest + 1, highest + 1 + len(unnamed))
    names[unnamed] = [*gone, *above][: len(unnamed)]
    return names[new]
