"""Where the next crops are taken: at labelled pixels, fairly and where it pays.

Labels are found again by *sites*: a site is a cell of the image in which a class has
labelled pixels. Every draw picks a class, then an image that has it, then one of its
sites, so that neither a rare class nor an image with few strokes is drowned. Among
sites, those predicted wrongly come more often, and a new stroke counts as wrong until
it has been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CELL = 32
# What a site that is predicted perfectly is still worth beside one all wrong, so that
# old labels are not forgotten.
FLOOR = 0.1


@dataclass(frozen=True)
class Site:
    """A cell of an image with labelled pixels of a class.

    Attributes
    ----------
    image : int
        Its number in the training set.
    label : int
        The class.
    plane : int
        The plane's number among ``image.planes()``.
    row, column : int
        Of the cell: it begins at pixel ``row * CELL``, ``column * CELL``.
    """

    image: int
    label: int
    plane: int
    row: int
    column: int


class Sampler:
    """Draws sites, and learns which ones the net gets wrong."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._sites: dict[tuple[int, int], list[Site]] = {}
        self._error: dict[Site, float] = {}

    def __len__(self) -> int:
        return len(self._error)

    @property
    def classes(self) -> list[int]:
        """The classes that have labelled pixels."""
        return sorted({label for (_, label), sites in self._sites.items() if sites})

    def set_sites(
        self, image: int, sites: Sequence[Site], changed: Sequence[Site] = ()
    ) -> None:
        """Replace the sites of one image.

        Parameters
        ----------
        image : int
            The image's number.
        sites : sequence of Site
            All its sites now.
        changed : sequence of Site
            Those among them with new strokes: they count as wrong again.
        """
        for site in [s for s in self._error if s.image == image]:
            if site not in (now := set(sites)):
                del self._error[site]
        for key in [k for k in self._sites if k[0] == image]:
            del self._sites[key]
        for site in sites:
            self._sites.setdefault((image, site.label), []).append(site)
            self._error.setdefault(site, 1.0)
        for site in changed:
            self._error[site] = 1.0

    def draw(self, n: int) -> list[Site]:
        """Return `n` sites, with repetition; at least one must exist."""
        return [self._draw() for _ in range(n)]

    def learnt(self, sites: Sequence[Site], errors: NDArray[np.float32]) -> None:
        """Note the share of wrong pixels, 0 to 1, in the crop drawn at each site."""
        for site, error in zip(sites, errors, strict=True):
            if site in self._error:
                self._error[site] = 0.5 * self._error[site] + 0.5 * float(error)

    def _draw(self) -> Site:
        label = self._random.choice(self.classes)
        images = [i for (i, c), sites in self._sites.items() if c == label and sites]
        sites = self._sites[int(self._random.choice(images)), int(label)]
        worth = np.array([self._error[s] for s in sites]) + FLOOR
        return sites[int(self._random.choice(len(sites), p=worth / worth.sum()))]
