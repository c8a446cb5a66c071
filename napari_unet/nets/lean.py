"""A net made lean for inference: the same results for less work."""

import torch
from torch import Tensor, nn

from napari_unet.nets.layers import ConvBlock
from napari_unet.nets.unet import UNet


class ConvReLU(nn.Module):
    """A 3x3 convolution and a ReLU in one pass over memory, by oneDNN on a CPU."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.padding = conv.padding

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, C', Y', X')`` for `x` ``(N, C, Y, X)``."""
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, self.padding, (1, 1), (1, 1), 1, "relu", [], ""
        )
        return out


def fold_batch_norms(net: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place."""
    net.eval()
    for block in _blocks(net):
        for i, layer in enumerate(block):
            conv = block[i - 1]
            if isinstance(layer, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
                block[i - 1] = torch.nn.utils.fuse_conv_bn_eval(conv, layer)
                block[i] = nn.Identity()


def remove_padding(net: UNet) -> None:
    """Make a padded net an unpadded one, in place.

    What it gives for a pixel that is `margin` or more from the border stays the same:
    that pixel never saw a padded zero.
    """
    for block in _blocks(net):
        for layer in block:
            if isinstance(layer, nn.Conv2d):
                layer.padding = (0, 0)
    net.padding = "valid"


def join_relus(net: nn.Module) -> None:
    """Join each convolution on the CPU with the ReLU after it, in place.

    Blocks with a norm in between stay as they are, and so does everything where this
    torch has no oneDNN.
    """
    if not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return
    for block in _blocks(net):
        layers = [m for m in block if not isinstance(m, nn.Identity)]
        pairs = list(zip(layers[::2], layers[1::2], strict=False))
        if all(isinstance(c, nn.Conv2d) and isinstance(r, nn.ReLU) for c, r in pairs):
            for i, layer in enumerate(block):
                block[i] = (
                    ConvReLU(layer) if isinstance(layer, nn.Conv2d) else nn.Identity()
                )


def _blocks(net: nn.Module) -> list[ConvBlock]:
    return [m for m in net.modules() if isinstance(m, ConvBlock)]
