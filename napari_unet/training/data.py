"""The labelled images that training draws from; labels may change at any time."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

import fastremap
import numpy as np
import torch

from napari_unet.annotation import IGNORE, hold_out, make_targets
from napari_unet.annotation.annotation import TRAINING
from napari_unet.errors import TrainingError
from napari_unet.images import Region
from napari_unet.training.augment import MARGIN, recolour, warp
from napari_unet.training.crops import Crops
from napari_unet.training.sampler import Sampler
from napari_unet.training.sites import CELL, Site, find_sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_unet.annotation import Targets
    from napari_unet.models import ModelSpec
    from napari_unet.training.image import Cut, TrainingImage


@dataclass
class _Found:
    """The sites of an image, by the plane and the corner of their block.

    `version` is that of the annotation they are of, None before the first look.
    """

    version: int | None = None
    learn: dict[tuple[int, int, int], list[Site]] = field(default_factory=dict)
    held_out: dict[tuple[int, int, int], list[Site]] = field(default_factory=dict)


class TrainingSet:
    """Labelled images, the crops drawn from them and the labels held out.

    Parameters
    ----------
    spec : ModelSpec
        Of the model to train: its channels, classes and whether it has boundaries.
    seed : int
        Of crops and augmentation.
    """

    def __init__(self, spec: ModelSpec, seed: int = 0) -> None:
        self.channels = spec.channels
        self.n_classes = len(spec.classes)
        self._gaps = not spec.architecture.boundary
        self._images: dict[str, TrainingImage] = {}
        self._found: dict[str, _Found] = {}
        self._sampler = Sampler(seed)
        self._random = np.random.default_rng(seed)
        self._chance = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self._images)

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

        What is held out is decided once for all of them, so that it is a fair share.

        Raises
        ------
        ImageError
            If the channels of one do not suit the model; none is taken in then.
        """
        for image in [image.for_net(self.channels) for image in images]:
            self._images[image.key] = image
            self._found[image.key] = _Found()
        self._look({})

    def remove(self, key: str) -> None:
        """Forget an image."""
        del self._images[key], self._found[key]
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
        hold_out({name: other.annotation for name, other in self._images.items()})
        for key, found in self._found.items():
            if found.version != self._images[key].annotation.version:
                self._find(key, changed.get(key, ()))

    def _find(self, key: str, changed: Sequence[Region]) -> None:
        """Find the sites of an image where its labels differ from those known."""
        image = self._images[key]
        labels = image.annotation
        found = self._found[key]
        # Looking at all that was ever painted would slow each stroke down.
        looked = found.version
        new = labels.labelled() if looked is None else labels.changed_since(looked)
        found.version = labels.version
        fresh: list[Site] = []
        for region in new:
            plane = image.planes.index(dict(region.plane))
            classes = self._known(labels.classes(region))
            out = labels.held_out(region)
            learn = find_sites(classes, ~out, region, key, plane)
            place = plane, region.y0, region.x0
            found.learn[place] = learn
            found.held_out[place] = find_sites(classes, out, region, key, plane)
            for site in learn:
                if any(r.intersect(site.region(region.plane)) for r in changed):
                    fresh.append(site)
        self._sampler.set_sites(key, chain(*found.learn.values()), fresh)

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
                "few on each class, then start training."
            )
        if len(classes) == 1:
            only = "background" if classes == [0] else f"class {classes[0]}"
            missing = "one of your classes" if classes == [0] else "the background"
            raise TrainingError(
                f"Only {only} is labelled, so there is nothing to tell apart. Paint a "
                f"few strokes on {missing} too, then start training."
            )

    def draw(
        self, n: int, side: int, *, context: int = 0, any_stain: bool = False
    ) -> tuple[Crops, list[Site]]:
        """Return `n` augmented crops of ``side x side`` and the sites they show.

        Their images have `context` pixels more at each side, as unpadded nets need.
        """
        sites = self._sampler.draw(n)
        large = int((side + 2 * context) * MARGIN) // 2 * 2
        cuts = []
        for site in sites:
            source = self._images[site.image]
            y, x = self._pixel(source, site)
            cuts.append(source.cut(_around(y, x, large, source.planes[site.plane])))
        image, cuts = self._warped(cuts, side + 2 * context)
        # Targets are made of warped labels: a line one pixel thin stays whole.
        targets = [
            self._targets(cut).only(~cut.held_out).inner(context) for cut in cuts
        ]
        image = recolour(image, self._chance, any_stain=any_stain)
        return Crops.of(image, targets), sites

    def learnt(self, sites: Sequence[Site], errors: NDArray[np.float32]) -> None:
        """Note the share of wrong pixels in the crop drawn at each site."""
        self._sampler.learnt(sites, errors)

    def held_out(
        self, side: int, *, context: int = 0, most: int = 16
    ) -> Iterator[Crops]:
        """Yield crops, one at a time, in which only the held-out labels are known.

        There are `most` of them at the most, the same ones each time.
        """
        every = [
            site
            for found in self._found.values()
            for sites in found.held_out.values()
            for site in sites
        ]
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
            cut = image.cut(region.grow(context))
            targets = self._targets(cut).only(cut.held_out).inner(context)
            yield Crops.of(torch.from_numpy(cut.pixels[np.newaxis]), [targets])

    def _pixel(self, image: TrainingImage, site: Site) -> tuple[int, int]:
        """Return a labelled pixel of the site's class, by chance."""
        region = site.region(image.planes[site.plane])
        classes = image.annotation.classes(region)
        out = image.annotation.held_out(region)
        ys, xs = np.nonzero((classes == site.label) & ~out)
        i = int(self._random.integers(len(ys)))
        return region.y0 + int(ys[i]), region.x0 + int(xs[i])

    def _warped(self, cuts: list[Cut], side: int) -> tuple[Tensor, list[Cut]]:
        """Return the cuts' pixels and labels after a random warp."""
        maps = [
            np.stack([c.scribbles, c.objects, c.verified, c.held_out]) for c in cuts
        ]
        image, labels = warp(
            torch.from_numpy(np.stack([c.pixels for c in cuts])),
            torch.from_numpy(np.stack(maps).astype(np.float32)),
            side,
            self._chance,
        )
        numbers = labels.round().int().numpy()
        return image, [
            replace(
                cut,
                scribbles=scribbles,
                objects=objects,
                verified=verified > 0,
                held_out=held_out > 0,
            )
            for cut, (scribbles, objects, verified, held_out) in zip(
                cuts, numbers, strict=True
            )
        ]

    def _targets(self, cut: Cut) -> Targets:
        targets = make_targets(
            cut.scribbles,
            cut.objects,
            cut.object_classes,
            cut.verified,
            gaps=self._gaps,
        )
        return targets.only(self._known(targets.classes) != IGNORE)

    def _known(self, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the classes without those added after the model was made."""
        return np.where(classes < self.n_classes, classes, IGNORE)


def _around(y: int, x: int, side: int, plane: Mapping[str, int]) -> Region:
    y0, x0 = y - side // 2, x - side // 2
    return Region(y0, x0, y0 + side, x0 + side, plane)
