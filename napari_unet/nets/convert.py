"""Classifiers made fully convolutional (Long, Shelhamer and Darrell, CVPR 2015)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from napari_unet.errors import ModelError
from napari_unet.nets.counterparts import (
    FLATTENING,
    LOCAL,
    LOCAL_FUNCTIONS,
    POINTWISE,
    POINTWISE_NAMES,
    POOLS,
    SUMS,
    covering_convolution,
    norm_of_maps,
)
from napari_unet.nets.tracing import name_of, traced

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    net, shapes = traced(classifier, input_shape)
    _Conversion(net, shapes).run()
    return net


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
            self._replace(node, x, norm_of_maps(layer))
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
            f"The layer {name_of(self.net, node)} cannot be made convolutional: {why}."
        )


def _axes(node: fx.Node) -> set[int]:
    axes: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    return {a % 4 for a in axes} if isinstance(axes, list | tuple) else set()
