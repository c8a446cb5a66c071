"""A net's layers as they follow each other, and the shapes of what they give."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from napari_unet.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence


def traced(
    classifier: nn.Module, input_shape: Sequence[int]
) -> tuple[fx.GraphModule, dict[fx.Node, tuple[int, ...]]]:
    """Return a copy of a net as a graph, and the shape of each tensor in it.

    Parameters
    ----------
    classifier : Module
        It is not changed.
    input_shape : (int, int, int)
        Channels, height and width of an image. The shapes are those for two images.

    Raises
    ------
    ModelError
        If what its forward does depends on the image, or such an image does not fit.
    """
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
    return net, shapes.of


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
                f"The classifier fails at {name_of(self.module, n)}: {error}. Give the "
                "input shape that it was trained with."
            ) from error
        if isinstance(value, Tensor):
            self.of[n] = tuple(value.shape)
        return value


def name_of(net: nn.Module, node: fx.Node) -> str:
    """Return how a step is called in an error: by its layer, or its function."""
    if node.op == "call_module":
        layer = net.get_submodule(str(node.target))
        return f"'{node.target}' ({type(layer).__name__})"
    return f"'{getattr(node.target, '__name__', node.target)}'"
