"""Where an image is labelled, block by block, as its labels change."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from napari_unet.training.sites import Site, find_sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_unet.images import Region
    from napari_unet.training.image import TrainingImage

# The plane, and the corner of a block in it.
Place = tuple[int, int, int]


class ImageSites:
    """The sites of an image, to learn from and held out.

    Parameters
    ----------
    image : TrainingImage
        Looked at when `look` is called.
    n_classes : int
        Labels of later classes count for none.
    """

    def __init__(self, image: TrainingImage, n_classes: int) -> None:
        self._image = image
        self._n_classes = n_classes
        # Of the annotation that the sites are of; None before the first look.
        self._version: int | None = None
        self._learn: dict[Place, list[Site]] = {}
        self._held_out: dict[Place, list[Site]] = {}

    @property
    def learn(self) -> Iterator[Site]:
        """Those to learn from."""
        return chain(*self._learn.values())

    @property
    def held_out(self) -> Iterator[Site]:
        """Those held out."""
        return chain(*self._held_out.values())

    def look(self, changed: Sequence[Region]) -> list[Site] | None:
        """Find the sites anew where the labels differ from those known.

        Parameters
        ----------
        changed : sequence of Region
            Where somebody painted.

        Returns
        -------
        list of Site or None
            Those to learn from in `changed`; None if no labels differ.
        """
        image, labels = self._image, self._image.annotation
        before = self._version
        if before == labels.version:
            return None
        # Looking at all that was ever painted would slow each stroke down.
        new = labels.labelled() if before is None else labels.changed_since(before)
        self._version = labels.version
        fresh: list[Site] = []
        for region in new:
            plane = image.planes.index(dict(region.plane))
            classes = labels.classes(region)
            known, out = classes < self._n_classes, labels.held_out(region)
            learn = find_sites(classes, known & ~out, region, image.key, plane)
            place = plane, region.y0, region.x0
            self._learn[place] = learn
            self._held_out[place] = find_sites(
                classes, known & out, region, image.key, plane
            )
            for site in learn:
                if any(r.intersect(site.region(region.plane)) for r in changed):
                    fresh.append(site)
        return fresh
