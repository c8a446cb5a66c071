"""What ties a net to one size of image, and what its layers cost in parameters."""

from __future__ import annotations

from typing import NamedTuple

from torch import fx, nn

FLAT = (nn.Linear, nn.Bilinear, nn.Flatten, nn.BatchNorm1d)
OVER_THE_IMAGE = (
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.InstanceNorm2d,
    nn.GroupNorm,
    nn.MultiheadAttention,
    nn.RNNBase,
)
FUNCTIONS = {
    *("flatten", "view", "reshape", "mean", "linear"),
    *("adaptive_avg_pool2d", "adaptive_max_pool2d"),
}


class FullyConvolutional(NamedTuple):
    """Whether a net is fully convolutional; true or false as a condition.

    Attributes
    ----------
    answer : bool
    breaking : tuple of str
        The layers for which it is not, as ``'classifier.1' (Linear)``.
    """

    answer: bool
    breaking: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.answer


class ParameterCounts(NamedTuple):
    """The parameters of a net by the kind of layer that holds them.

    Of VGG-16, its three fully connected layers hold 124 of 138 million.
    """

    convolutional: int
    fully_connected: int
    other: int

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self)


def is_fully_convolutional(net: nn.Module) -> FullyConvolutional:
    """Tell whether a net does the same at every place of an image of any size.

    Fully connected and flattening layers, adaptive pooling, attention and norms over
    the whole image break it. Functions that do so are found too, as far as the net's
    `forward` can be traced, that is, decides nothing by what is in the image.
    """
    breaking = [
        f"'{name}' ({type(layer).__name__})"
        for name, layer in net.named_modules()
        if isinstance(layer, FLAT + OVER_THE_IMAGE)
    ]
    try:
        nodes = list(fx.Tracer().trace(net).nodes)
    except (ValueError, TypeError, RuntimeError, AttributeError):
        nodes = []
    for node in nodes:
        if node.op in ("call_function", "call_method"):
            name = getattr(node.target, "__name__", str(node.target))
            if name in FUNCTIONS:
                breaking.append(f"'{name}'")
    return FullyConvolutional(not breaking, tuple(breaking))


def count_parameters(net: nn.Module) -> ParameterCounts:
    """Count the parameters of a net by the kind of layer; shared ones count once."""
    counts = {"convolutional": 0, "fully_connected": 0, "other": 0}
    seen = set()
    for layer in net.modules():
        kind = "other"
        if isinstance(layer, nn.Linear | nn.Bilinear):
            kind = "fully_connected"
        elif isinstance(layer, nn.modules.conv._ConvNd):
            kind = "convolutional"
        for parameter in layer.parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                counts[kind] += parameter.numel()
    return ParameterCounts(**counts)
