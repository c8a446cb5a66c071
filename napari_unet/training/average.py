"""The average of the weights of the last steps: what the user sees."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from napari_unet.nets import SegmentationNet


class Average:
    """An exponential moving average of a net's weights, young again after new labels.

    At each step it keeps ``(1 + age) / (10 + age)`` of itself, at most `decay`; the age
    is counted in steps since labels changed. So the first steps, and those after a new
    stroke, show at once.

    Parameters
    ----------
    net : SegmentationNet
        Where it begins.
    decay : float
        How much of itself it keeps at each step when it is old, 0 to 1.

    Attributes
    ----------
    net : SegmentationNet
        With the averaged weights, in evaluation mode.
    """

    def __init__(self, net: SegmentationNet, decay: float) -> None:
        self.net: SegmentationNet = copy.deepcopy(net).eval()
        self._decay = decay
        # Labelled pixels of each class at the last step.
        self._counts = torch.zeros(0)
        self._age = 0

    @torch.no_grad()
    def follow(self, net: SegmentationNet, counts: Tensor) -> None:
        """Take a step's weights in.

        Parameters
        ----------
        net : SegmentationNet
            After the step.
        counts : Tensor
            ``(n_classes,)``, labelled pixels of each class: other ones than at the
            step before are new labels.
        """
        self._age += 1
        if not torch.equal(counts, self._counts):
            self._counts, self._age = counts, 0
        decay = min(self._decay, (1 + self._age) / (10 + self._age))
        mean = self.net.state_dict()
        for key, value in net.state_dict().items():
            if value.is_floating_point():
                mean[key].lerp_(value, 1 - decay)
            else:
                mean[key].copy_(value)
