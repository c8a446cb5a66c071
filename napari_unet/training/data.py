"""The labelled images that training draws from; labels may change at any time."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import fastremap
import numpy as np
import torch

from napari_unet.annotation import hold_out
from napari_unet.annotation.annotation import TRAINING
from napari_unet.errors import TrainingError
from napari_unet.images import Region
from napari_unet.training.cutter import Cutter
from napari_unet.training.image_sites import ImageSites
from napari_unet.training.sampler import Sampler
from napari_unet.training.sites import CELL, Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.models import ModelSpec
    from napari_unet.training.crops import Crops
    from napari_unet.training.image import TrainingImage


class TrainingSet:
    """Labelled images, the crops drawn from them and the labels held out.

    Parameters
    ----------
    spec : ModelSpec
        Of the model to train: its channels, classes and whether it has boundaries.
    seed : int
        Of crops and augmentation.
    decided : bool
        Whether the labels come with what is held out of them; otherwise it is decided
        here.
    """

    def __init__(
        self, spec: ModelSpec, seed: int = 0, *, decided: bool = False
    ) -> None:
        self.channels = spec.channels
        self.n_classes = len(spec.classes)
        self._names = spec.classes.names
        self._images: dict[str, TrainingImage] = {}
        self._sites: dict[str, ImageSites] = {}
        self._sampler = Sampler(seed)
        self._cutter = Cutter(spec, seed)
        self._decided = decided

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __contains__(self, key: str) -> bool:
        return key in self._images

    def __getitem__(self, key: str) -> TrainingImage:
        return self._images[key]

    @property
    def counts(self) -> Tensor:
        """Labelled pixels of each class to learn from, ``(n_classes,)``, int64."""
        tallies = (image.annotation.tally() for image in self._images.values())
        total = sum(tallies, np.zeros((256, 3), np.int64))
        return torch.from_numpy(total[: self.n_classes, TRAINING])

    def add(self, *images: TrainingImage) -> None:
        """Take images in, with the labels they have.

        What is held out is decided once for all of them, so that it is a fair share,
        unless it has been decided already.

        Raises
        ------
        ImageError
            If the channels of one do not suit the model; none is taken in then.
        """
        for image in [image.for_net(self.channels) for image in images]:
            self._images[image.key] = image
            self._sites[image.key] = ImageSites(image, self.n_classes)
        self._look({})

    def remove(self, key: str) -> None:
        """Forget an image."""
        del self._images[key], self._sites[key]
        self._sampler.set_sites(key, [])

    def refresh(self, key: str, changed: Sequence[Region] = ()) -> None:
        """Look at an image's labels again.

        Parameters
        ----------
        key : str
            Of the image.
        changed : sequence of Region
            Where labels are new: crops are drawn there first.
        """
        self._look({key: changed})

    def _look(self, changed: Mapping[str, Sequence[Region]]) -> None:
        """Decide what is held out, and find the sites of all that differs now.

        Labels of one image may free held-out ones of another, so each is looked at.
        """
        if not self._decided:
            hold_out({name: other.annotation for name, other in self._images.items()})
        for key, sites in self._sites.items():
            fresh = sites.look(changed.get(key, ()))
            if fresh is not None:
                self._sampler.set_sites(key, sites.learn, fresh)

    def diameter(self) -> float | None:
        """Return the median diameter of the verified objects, in pixels.

        In a stack each plane counts for itself, as it is predicted.
        """
        areas: Counter[tuple[str, int, int]] = Counter()
        for key, image in self._images.items():
            for region in image.annotation.labelled():
                plane = image.planes.index(dict(region.plane))
                verified = image.annotation.verified.read(region)
                objects = np.where(verified, image.annotation.objects.read(region), 0)
                ids, counts = fastremap.unique(objects, return_counts=True)
                for index, area in zip(ids.tolist(), counts.tolist(), strict=True):
                    areas[key, plane, index] += area
        sizes = [2 * math.sqrt(n / math.pi) for (*_, i), n in areas.items() if i]
        return float(np.median(sizes)) if sizes else None

    def check(self) -> None:
        """Raise what to paint if there is too little to learn from."""
        classes = self._sampler.classes
        if not classes:
            raise TrainingError(
                "Nothing is labelled yet. Paint a few strokes on the background and a "
                "few on each class."
            )
        if len(classes) == 1:
            only = self._names[classes[0]]
            missing = "one of your classes" if classes == [0] else "the background"
            raise TrainingError(
                f"Only '{only}' is labelled, so there is nothing to tell apart. Paint "
                f"a few strokes on {missing} too."
            )

    def draw(
        self, n: int, side: int, *, context: int = 0, any_stain: bool = False
    ) -> tuple[Crops, list[Site]]:
        """Return `n` augmented crops of ``side x side`` and the sites they show.

        Their images have `context` pixels more at each side, as unpadded nets need.
        """
        sites = self._sampler.draw(n)
        places = [(self._images[site.image], site) for site in sites]
        crops = self._cutter.augmented(places, side, context, any_stain=any_stain)
        return crops, sites

    def learnt(self, sites: Sequence[Site], errors: NDArray[np.float32]) -> None:
        """Note the share of wrong pixels in the crop drawn at each site."""
        self._sampler.learnt(sites, errors)

    def held_out(
        self, side: int, *, context: int = 0, most: int = 16
    ) -> Iterator[Crops]:
        """Yield crops, one at a time, in which only the held-out labels are known.

        There are `most` of them at the most, the same ones each time.
        """
        every = [*chain.from_iterable(s.held_out for s in self._sites.values())]
        seen: set[tuple[str, int, int, int]] = set()
        cells = max(side // CELL, 1)
        for site in every[:: max(1, len(every) // (4 * most))]:
            # Sites closer together than a crop share one.
            place = (site.image, site.plane, site.row // cells, site.column // cells)
            if place in seen or len(seen) == most:
                continue
            seen.add(place)
            image = self._images[site.image]
            y0, x0 = place[2] * cells * CELL, place[3] * cells * CELL
            at = image.planes[site.plane]
            region = Region(y0, x0, y0 + side, x0 + side, at)
            yield self._cutter.held_out(image, region, context)
