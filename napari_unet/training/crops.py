"""What a training step learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_unet.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from napari_unet.annotation import Targets
    from napari_unet.nets import SegmentationNet
    from napari_unet.training.config import TrainConfig


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


def check_crops(net: SegmentationNet, config: TrainConfig) -> None:
    """Raise `TrainingError` if the net shrinks what it learns from to a single pixel.

    Batch norm has no mean of one value.
    """
    single = config.batch == 1 and config.crop <= net.multiple
    if single and any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules()):
        raise TrainingError(
            f"One crop of {config.crop} pixels is too little for this net, whose "
            f"coarsest map has a pixel for every {net.multiple}. Take a crop of "
            f"{2 * net.multiple} pixels, or a batch of 2."
        )
