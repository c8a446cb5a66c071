"""What holds a net to the base model that it refines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

# How strongly the base model pulls where all is right, at a rate of 1 and with one
# labelled pixel. At the usual rate and with a thousand it takes a tenth of the way back
# at each step.
PULL = 3.3e5


class Anchor:
    """The weights of a base model, towards which those of a net decay.

    Corrections are painted where a model is wrong. Learnt alone, they undo what it had
    right: so the fewer they are, the more the base model counts (L2-SP of Li,
    Grandvalet and Davoine 2018, equation 3). But while they are still predicted wrongly
    it gives way, so that a new stroke is learnt at once.

    Parameters
    ----------
    net : Module
        With the weights of the base model.
    """

    def __init__(self, net: nn.Module) -> None:
        self._base = [p.detach().clone() for p in net.parameters()]
        # The recent share of labelled pixels predicted wrongly, in the crops drawn.
        self._wrong = 1.0

    @torch.no_grad()
    def pull(self, net: nn.Module, rate: float, labelled: int, wrong: float) -> None:
        """Bring the weights a little back.

        Parameters
        ----------
        net : Module
            After a step.
        rate : float
            The learning rate of the step.
        labelled : int
            Labelled pixels in all images.
        wrong : float
            The share of labelled pixels that the step found predicted wrongly, 0 to 1.
        """
        self._wrong += 0.2 * (wrong - self._wrong)
        share = min(0.5, PULL * rate / max(labelled, 1)) * (1 - self._wrong)
        for weight, before in zip(net.parameters(), self._base, strict=True):
            weight.lerp_(before, share)

    def keep_statistics(self, net: nn.Module) -> None:
        """Leave the batch norms of a net that is trained as the base model has them.

        What one image looks like says little of others that the base knows.
        """
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.eval()
