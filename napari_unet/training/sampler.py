"""Where the next crops are taken: at labelled pixels, fairly and where it pays.

Labels are found again by *sites*: a site is a cell of the image in which a class has
labelled pixels. Every draw picks a class, then an image that has it, then one of its
sites, so that neither a rare class nor an image with few strokes is drowned. Among
sites, those predicted wrongly come more often, and a new stroke counts as wrong until
it has been seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_unet.training.sites import Site

# What a site that is predicted perfectly is still worth beside one all wrong, so that
# old labels are not forgotten.
FLOOR = 0.1


class Sampler:
    """Draws sites, and learns which ones the net gets wrong."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        # For each class, for each image that has it: how wrong each site is, 0 to 1.
        self._error: dict[int, dict[str, dict[Site, float]]] = {}

    def __len__(self) -> int:
        return sum(len(s) for images in self._error.values() for s in images.values())

    @property
    def classes(self) -> list[int]:
        """The classes that have labelled pixels, in order."""
        return sorted(self._error)

    def set_sites(
        self, image: str, sites: Iterable[Site], changed: Iterable[Site] = ()
    ) -> None:
        """Replace the sites of one image; those that stay keep what is known of them.

        Parameters
        ----------
        image : str
            The image's key.
        sites : iterable of Site
            All its sites now.
        changed : iterable of Site
            Those among them with new strokes: they count as wrong again.
        """
        before: dict[Site, float] = {}
        for label, images in list(self._error.items()):
            before |= images.pop(image, {})
            if not images:
                del self._error[label]
        before |= dict.fromkeys(changed, 1.0)
        for site in sites:
            images = self._error.setdefault(site.label, {})
            images.setdefault(image, {})[site] = before.get(site, 1.0)

    def draw(self, n: int) -> list[Site]:
        """Return `n` sites, with repetition; at least one must exist."""
        return [self._draw() for _ in range(n)]

    def learnt(self, sites: Sequence[Site], errors: NDArray[np.float32]) -> None:
        """Note the share of wrong pixels, 0 to 1, in the crop drawn at each site."""
        for site, error in zip(sites, errors, strict=True):
            known = self._error.get(site.label, {}).get(site.image, {})
            if site in known:
                known[site] = 0.5 * known[site] + 0.5 * float(error)

    def _draw(self) -> Site:
        images = self._error[int(self._random.choice(self.classes))]
        errors = images[str(self._random.choice(list(images)))]
        worth = np.fromiter(errors.values(), float) + FLOOR
        chosen = int(self._random.choice(len(worth), p=worth / worth.sum()))
        return list(errors)[chosen]
