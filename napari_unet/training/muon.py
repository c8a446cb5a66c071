"""Muon, an optimiser for kernels whose steps go equally far in every direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

# What of the momentum stays at each step, and of the weights decays, times the rate.
MOMENTUM = 0.95
DECAY = 0.01
# Rounds of x -> a x + b x^3 + c x^5 on each singular value, 0 to 1: five bring all but
# the smallest into 0.7 to 1.2, which is near enough to 1.
ROUNDS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
# AdamW moves a weight by about so much of the rate, in root mean square.
LIKE_ADAM = 0.2


class Muon(torch.optim.Optimizer):
    """Steps along the momentum, made orthogonal, for kernels; AdamW for other weights.

    The gradient of a kernel has a few strong directions and many weak ones, in which
    it learns hardly anything. Muon (Jordan et al. 2024, *Muon: An optimizer for hidden
    layers in neural networks*) goes as far in the weak ones as in the strong ones.

    Parameters
    ----------
    weights : iterable of Tensor
        Of a net. Its kernels, ``(O, I, Y, X)`` or ``(I, O, Y, X)`` and larger than a
        pixel, are taken as matrices of the first axis by all others.
    rate : float
        The same one suits both: a step of Muon is as long as one of AdamW in root mean
        square (Liu et al. 2025, *Muon is scalable for LLM training*, equation 4).
    """

    def __init__(self, weights: Iterable[Tensor], rate: float) -> None:
        weights = list(weights)
        self._adam = torch.optim.AdamW([w for w in weights if not _kernel(w)], rate)
        super().__init__([w for w in weights if _kernel(w)], {"lr": rate})
        # The same groups: whoever sets the rate sets it for both.
        self.param_groups += self._adam.param_groups

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Take one step along the gradients."""
        self._adam.step()
        kernels, *_ = self.param_groups
        rate = kernels["lr"]
        for kernel in kernels["params"]:
            if kernel.grad is not None:
                direction = self._direction(kernel, kernel.grad)
                kernel.mul_(1 - rate * DECAY).add_(direction, alpha=-rate)

    def _direction(self, kernel: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum: Tensor = state["momentum"]
        momentum.lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(momentum, MOMENTUM).flatten(1)  # as Nesterov does
        length = LIKE_ADAM * max(ahead.shape) ** 0.5
        direction: Tensor = orthogonal(ahead).view_as(kernel)
        return direction.mul_(length)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return the orthogonal matrix next to a matrix, nearly.

    The rounds of Newton and Schulz are gone through on the square of the matrix with
    itself, its shorter side, which takes a third of the time of going through them on
    itself.

    Parameters
    ----------
    matrix : Tensor
        ``(M, N)``, float32.

    Returns
    -------
    Tensor
        ``(M, N)``, float32, with the same singular vectors and singular values of
        about 1; those of nothing but zeros stay 0.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = QUINTIC
    matrix = matrix / (matrix.norm() + 1e-7)
    square = matrix @ matrix.T
    one = torch.eye(len(square), device=square.device)
    turned = one
    for _ in range(ROUNDS):
        turn = a * one + b * square + c * square @ square
        turned = turn @ turned
        square = turn @ square @ turn
    return turned @ matrix


def _kernel(weights: Tensor) -> bool:
    return weights.ndim == 4 and weights.shape[-1] > 1
