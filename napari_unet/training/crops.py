"""What a training step learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from napari_unet.annotation import Targets


@dataclass(frozen=True)
class Crops:
    """A batch: image crops and their targets, on the CPU.

    Attributes
    ----------
    image : Tensor
        ``(N, C, Y, X)``, float32, normalised; larger than the targets for a net
        that does not pad.
    classes : Tensor
        ``(N, Y, X)``, int64; -1 where not labelled.
    weight : Tensor
        ``(N, Y, X)``, float32.
    boundary, known : Tensor
        ``(N, Y, X)``, bool: see `annotation.Targets`.
    objects : Tensor
        ``(N, Y, X)``, int32: the number of the object at a pixel, 0 for none.
    """

    image: Tensor
    classes: Tensor
    weight: Tensor
    boundary: Tensor
    known: Tensor
    objects: Tensor

    @classmethod
    def of(cls, image: Tensor, targets: Sequence[Targets]) -> Crops:
        """Put crops of one size and their targets together."""

        def stack(name: str) -> Tensor:
            return torch.from_numpy(np.stack([getattr(t, name) for t in targets]))

        names = ("classes", "weight", "boundary", "known", "objects")
        return cls(image, *map(stack, names))
