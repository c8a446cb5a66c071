"""Crops cut from labelled images, augmented to learn from or as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.annotation import IGNORE, make_targets
from napari_unet.images import Region
from napari_unet.training.augment import MARGIN, cut_mix, recolour, warp
from napari_unet.training.crops import Crops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from napari_unet.annotation import Targets
    from napari_unet.models import ModelSpec
    from napari_unet.training.image import Cut, TrainingImage
    from napari_unet.training.sites import Site


class Cutter:
    """Cuts crops for a model.

    Parameters
    ----------
    spec : ModelSpec
        Of the model: its classes and whether it has boundaries.
    seed : int
        Of where crops begin and how they are augmented.
    """

    def __init__(self, spec: ModelSpec, seed: int) -> None:
        self._n_classes = len(spec.classes)
        self._gaps = not spec.architecture.boundary
        self._random = np.random.default_rng(seed)
        self._chance = torch.Generator().manual_seed(seed)

    def augmented(
        self,
        places: Sequence[tuple[TrainingImage, Site]],
        side: int,
        context: int,
        *,
        any_stain: bool,
    ) -> Crops:
        """Return an augmented crop around each place, with the labels to learn from.

        Parameters
        ----------
        places : sequence of (TrainingImage, Site)
            Each in its image.
        side : int
            Of the crops, in pixels.
        context : int
            How many pixels more their images have at each side.
        any_stain : bool
            See `TrainConfig`.
        """
        large = int((side + 2 * context) * MARGIN) // 2 * 2
        cuts = []
        for image, site in places:
            y, x = self._pixel(image, site)
            cuts.append(image.cut(_around(y, x, large, image.planes[site.plane])))
        pixels, cuts = self._changed(cuts, side + 2 * context, any_stain=any_stain)
        # Targets are made of warped labels: a line one pixel thin stays whole.
        targets = [
            self._targets(cut).only(~cut.held_out).inner(context) for cut in cuts
        ]
        return Crops.of(pixels, targets)

    def held_out(self, image: TrainingImage, region: Region, context: int) -> Crops:
        """Return a region as it is, in which only the held-out labels are known."""
        cut = image.cut(region.grow(context))
        targets = self._targets(cut).only(cut.held_out).inner(context)
        return Crops.of(torch.from_numpy(cut.pixels[np.newaxis]), [targets])

    def _pixel(self, image: TrainingImage, site: Site) -> tuple[int, int]:
        """Return a labelled pixel of the site's class, by chance."""
        region = site.region(image.planes[site.plane])
        classes = image.annotation.classes(region)
        out = image.annotation.held_out(region)
        ys, xs = np.nonzero((classes == site.label) & ~out)
        i = int(self._random.integers(len(ys)))
        return region.y0 + int(ys[i]), region.x0 + int(xs[i])

    def _changed(
        self, cuts: list[Cut], side: int, *, any_stain: bool
    ) -> tuple[Tensor, list[Cut]]:
        """Return pixels and labels, warped, recoloured and mixed by chance."""
        maps = [
            np.stack([c.scribbles, c.objects, c.verified, c.held_out]) for c in cuts
        ]
        image, labels = warp(
            torch.from_numpy(np.stack([c.pixels for c in cuts])),
            torch.from_numpy(np.stack(maps).astype(np.float32)),
            side,
            self._chance,
        )
        # Few strokes show few surroundings and intensities: these get more of both.
        # A crop at the corner of an image that is labelled all over is so to a quarter.
        labelled, verified = labels[:, 0].flatten(1) > 0, labels[:, 2].flatten(1) > 0
        strokes = ~verified.any(dim=1) & (labelled.float().mean(dim=1) < 0.2)
        strength = torch.where(strokes, 1.0, 0.5)
        image = recolour(image, strength, self._chance, any_stain=any_stain)
        image, labels = cut_mix(image, labels, strokes, self._chance)
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
        # Classes that were added after the model was made are not known to it.
        known = (targets.classes != IGNORE) & (targets.classes < self._n_classes)
        return targets.only(known)


def _around(y: int, x: int, side: int, plane: Mapping[str, int]) -> Region:
    y0, x0 = y - side // 2, x - side // 2
    return Region(y0, x0, y0 + side, x0 + side, plane)
