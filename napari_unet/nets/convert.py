"""Classifiers made fully convolutional (Long, Shelhamer and Darrell, CVPR 2015)."""

from __future__ import annotations

import copy
import math
import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from napari_unet.errors import ModelError

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


def fully_convolutional(classifier: nn.Module, input_shape: Sequence[int]) -> nn.Module:
    """Return a classifier as a net that takes images of any size.

    A fully connected layer is a convolution whose kernel covers its whole input
    (section 3.1 and figure 2 of the paper). The first one becomes just that, the
    others become 1x1 convolutions, with the same weights; adaptive and global pooling
    becomes the fixed pooling that it is for an image of `input_shape`.

    Of a larger image the net gives the scores of many patches at once, one for each
    `stride` of the net. Where no layer pads they are exactly the classifier's scores of
    those patches. A layer that pads meets zeros around a patch that is cut out, and
    around the same patch within an image its neighbours: the scores then agree as far
    as the border of a patch does not matter.

    Parameters
    ----------
    classifier : Module
        Convolutions, pooling and activations, then fully connected layers with
        flattening or pooling before and dropout, activations or batch norms between
        them; branches may be added or concatenated. It is not changed.
    input_shape : (int, int, int)
        Channels, height and width of the images that it takes.

    Returns
    -------
    Module
        Takes ``(N, C, Y, X)``, gives ``(N, K, Y', X')`` with Y' and X' 1 for the size
        trained at. In evaluation mode.

    Raises
    ------
    ModelError
        Naming the layer that has no counterpart, and why.

    References
    ----------
    J. Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for semantic
    segmentation", CVPR 2015.
    """
    if len(input_shape) != 3:
        raise ModelError(
            f"{tuple(input_shape)} is not the shape of an image; give three numbers: "
            "channels, height and width."
        )
    try:
        net = fx.symbolic_trace(copy.deepcopy(classifier).eval())
    except (ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise ModelError(
            f"{type(classifier).__name__} cannot be converted: what its forward does "
            f"depends on the image ({error}). Take such decisions out of it."
        ) from error
    shapes = _Shapes(net)
    # Two images, so that an axis of one element is not taken for the batch.
    like = next(net.parameters(), torch.empty(0))
    with torch.no_grad():
        shapes.run(like.new_zeros(2, *input_shape))
    _Conversion(net, shapes.of).run()
    return net


class _Shapes(fx.Interpreter):
    """Runs a traced net and keeps the shape of each tensor, ``of[node]``."""

    def __init__(self, net: fx.GraphModule) -> None:
        super().__init__(net)
        self.extra_traceback = False
        self.of: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        try:
            value = super().run_node(n)
        except (ValueError, TypeError, RuntimeError, IndexError) as error:
            raise ModelError(
                f"The classifier fails at {_name(self.module, n)}: {error}. Give the "
                "input shape that it was trained with."
            ) from error
        if isinstance(value, Tensor):
            self.of[n] = tuple(value.shape)
        return value


class _Conversion:
    """One walk along the graph, from the image to the scores.

    All through the converted net there are maps ``(N, C, Y, X)``. Where the classifier
    has a vector, the map holds what was flattened: `region`, (C, Y, X).
    """

    def __init__(
        self, net: fx.GraphModule, shapes: dict[fx.Node, tuple[int, ...]]
    ) -> None:
        self.net = net
        self.shapes = shapes
        self.layers = dict(net.named_modules())
        self.region: dict[fx.Node, tuple[int, ...]] = {}

    def run(self) -> None:
        graph = self.net.graph
        for node in list(graph.nodes):
            if node.op == "placeholder":
                self.region[node] = self.shapes[node][1:]
            elif node.op == "output":
                self._end(node)
            elif node in self.shapes and node.op != "get_attr":
                self._convert(node)
        graph.eliminate_dead_code()
        graph.lint()
        self.net.delete_all_unused_submodules()
        self.net.recompile()

    def _convert(self, node: fx.Node) -> None:
        inputs = [n for n in node.all_input_nodes if n in self.region]
        if not inputs:
            raise self._refuse(node, "it does not depend on the image")
        x, region = inputs[0], self.region[inputs[0]]
        is_map = len(self.shapes[x]) == 4
        layer = self.layers[str(node.target)] if node.op == "call_module" else None
        name = getattr(node.target, "__name__", str(node.target))

        if isinstance(layer, nn.Linear):
            if is_map or self.shapes[x] != (2, math.prod(region)):
                raise self._refuse(node, f"its input is {self.shapes[x][1:]}, not flat")
            self._replace(node, x, covering_convolution(layer, region))
            self.region[node] = (layer.out_features, 1, 1)
        elif (kind := type(layer) if layer else node.target) in POOLS and is_map:
            self._pool(node, x, POOLS[kind])
        elif name == "mean" and is_map and _axes(node) == {2, 3}:
            self._replace(node, x, nn.AvgPool2d((region[1], region[2]), 1))
            self.region[node] = (region[0], 1, 1)
        elif isinstance(layer, nn.BatchNorm1d):
            if region[1:] != (1, 1):
                raise self._refuse(node, "it has a norm of its own for each place")
            self._replace(node, x, _norm_of_maps(layer))
            self.region[node] = region
        elif isinstance(layer, nn.Flatten) or (not layer and name in FLATTENING):
            if self.shapes[node] not in ((2, math.prod(region)), (2, *region)):
                raise self._refuse(node, "it does more than flatten the whole map")
            self._replace(node, x, nn.Identity())
            self.region[node] = region
        elif isinstance(layer, LOCAL) or node.target in LOCAL_FUNCTIONS:
            if not is_map:
                raise self._refuse(node, "its input is flat")
            self.region[node] = self.shapes[node][1:]
        elif isinstance(layer, nn.Softmax | nn.LogSoftmax) and layer.dim == 1:
            self.region[node] = region
        elif isinstance(layer, POINTWISE) or (not layer and name in POINTWISE_NAMES):
            self.region[node] = region
        elif node.target in SUMS or node.target is torch.cat:
            self._join(node, inputs)
        else:
            raise self._refuse(node, "no convolution or pooling does the same")

    def _pool(self, node: fx.Node, x: fx.Node, pooling: Any) -> None:
        before, after = self.shapes[x][2:], self.shapes[node][2:]
        if any(b % a for b, a in zip(before, after, strict=True)):
            raise self._refuse(
                node,
                f"its {after} windows of {before} pixels are not all alike; take an "
                "input shape whose map they divide evenly",
            )
        size = tuple(b // a for b, a in zip(before, after, strict=True))
        # A single window has no next one; it may come at every pixel.
        stride = tuple(1 if a == 1 else s for s, a in zip(size, after, strict=True))
        self._replace(node, x, pooling(size, stride))
        self.region[node] = self.shapes[node][1:]

    def _join(self, node: fx.Node, inputs: list[fx.Node]) -> None:
        regions = {self.region[n] for n in inputs}
        if node.target is torch.cat:
            axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
            alike = axis == 1 and len({r[1:] for r in regions}) == 1
            # A flat map put behind another is not two maps side by side.
            if not alike or any(len(self.shapes[n]) != 4 for n in inputs):
                raise self._refuse(node, "it joins other things than channels of maps")
            self.region[node] = self.shapes[node][1:]
        elif len(regions) > 1 or len(inputs) < 2:
            raise self._refuse(node, "what it adds fits at one size only")
        else:
            self.region[node] = self.region[inputs[0]]

    def _end(self, output: fx.Node) -> None:
        scores = output.args[0]
        region = self.region.get(scores) if isinstance(scores, fx.Node) else None
        if region is None or region[1:] != (1, 1):
            raise ModelError(
                f"The net gives {region or scores} for an image and not a vector of "
                "scores: it is no classifier, or is fully convolutional already."
            )

    def _replace(self, node: fx.Node, x: fx.Node, layer: nn.Module) -> None:
        """Make a step one that calls `layer`, under the old layer's name."""
        name = str(node.target) if node.op == "call_module" else f"{node.name}_"
        taken = [n for n in self.net.graph.nodes if n.target == name and n is not node]
        name = f"{node.name}_again" if taken else name
        self.net.add_submodule(name, layer.eval())
        node.op, node.target, node.args, node.kwargs = "call_module", name, (x,), {}

    def _refuse(self, node: fx.Node, why: str) -> ModelError:
        return ModelError(
            f"The layer {_name(self.net, node)} cannot be made convolutional: {why}."
        )


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


def _norm_of_maps(norm: nn.BatchNorm1d) -> nn.BatchNorm2d:
    of_maps = nn.BatchNorm2d(
        norm.num_features,
        norm.eps,
        norm.momentum,
        norm.affine,
        norm.track_running_stats,
    )
    of_maps.load_state_dict(norm.state_dict())
    return of_maps.to(norm.running_mean)


def _axes(node: fx.Node) -> set[int]:
    axes: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    return {a % 4 for a in axes} if isinstance(axes, list | tuple) else set()


def _name(net: nn.Module, node: fx.Node) -> str:
    if node.op == "call_module":
        layer = net.get_submodule(str(node.target))
        return f"'{node.target}' ({type(layer).__name__})"
    return f"'{getattr(node.target, '__name__', node.target)}'"
