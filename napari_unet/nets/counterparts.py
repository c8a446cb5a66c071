"""Layers that a conversion leaves as they are, and those that it makes of others."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

# What needs a map and does the same at every place of it.
LOCAL = (
    nn.Conv2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.LPPool2d,
    nn.BatchNorm2d,
    nn.Dropout2d,
    nn.LocalResponseNorm,
    nn.ZeroPad2d,
    nn.ReflectionPad2d,
    nn.ReplicationPad2d,
)
LOCAL_FUNCTIONS = {functional.max_pool2d, functional.avg_pool2d, torch.max_pool2d}
POINTWISE = (
    nn.Identity,
    nn.Dropout,
    nn.AlphaDropout,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Sigmoid,
    nn.LogSigmoid,
    nn.Tanh,
    nn.Hardtanh,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Softplus,
)
POINTWISE_NAMES = {
    *("relu", "relu_", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"),
    *("sigmoid", "tanh", "hardtanh", "hardswish", "softplus", "dropout", "contiguous"),
}
FLATTENING = {"flatten", "view", "reshape", "squeeze"}
SUMS = {operator.add, operator.iadd, torch.add}
POOLS = {
    nn.AdaptiveAvgPool2d: nn.AvgPool2d,
    nn.AdaptiveMaxPool2d: nn.MaxPool2d,
    functional.adaptive_avg_pool2d: nn.AvgPool2d,
    functional.adaptive_max_pool2d: nn.MaxPool2d,
}


def covering_convolution(layer: nn.Linear, region: Sequence[int]) -> nn.Conv2d:
    """Return the convolution that is a fully connected layer.

    Parameters
    ----------
    layer : Linear
        Of as many inputs as the region has numbers.
    region : (int, int, int)
        Channels, height and width of the map that was flattened into its input.
    """
    channels, *kernel = region
    conv = nn.Conv2d(
        channels,
        layer.out_features,
        (kernel[0], kernel[1]),
        bias=layer.bias is not None,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    with torch.no_grad():
        conv.weight.copy_(layer.weight.reshape(conv.weight.shape))
        if conv.bias is not None:
            conv.bias.copy_(layer.bias)
    return conv


def norm_of_maps(norm: nn.BatchNorm1d) -> nn.BatchNorm2d:
    """Return the norm of maps that does to each pixel what `norm` does to a vector."""
    of_maps = nn.BatchNorm2d(
        norm.num_features,
        norm.eps,
        norm.momentum,
        norm.affine,
        norm.track_running_stats,
    )
    of_maps.load_state_dict(norm.state_dict())
    return of_maps.to(norm.running_mean)
