"""A net made lean for inference: the same results for less work."""

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_weights

from napari_unet.nets.layers import ConvBlock


class ConvReLU(nn.Module):
    """A `Conv` and a ReLU in one pass over memory, by oneDNN on a CPU.

    Two stacks of feature maps are not put together: the convolution of the second is
    added to that of the first, which saves a copy of both.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.padding = conv.padding

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return ``(N, C', Y', X')``; the channels of `beside` follow those of `x`."""
        how = self.padding, (1, 1), (1, 1), 1
        conv = torch.ops.mkldnn._convolution_pointwise
        out: Tensor
        if beside is None:
            out = conv(x, self.weight, self.bias, *how, "relu", [], "")
            return out
        mine = x.shape[1]
        out = conv(x, self.weight[:, :mine], None, *how, "none", [], "")
        torch.ops.mkldnn._convolution_pointwise_.binary(
            out,
            beside,
            self.weight[:, mine:],
            self.bias,
            *how,
            "add",
            1,
            "relu",
            [],
            "",
        )
        return out


def fold_batch_norms(net: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place."""
    net.eval()
    for block in _blocks(net):
        for i, layer in enumerate(block):
            conv = block[i - 1]
            if isinstance(layer, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
                mean, variance = layer.running_mean, layer.running_var
                assert mean is not None and variance is not None
                # Not `fuse_conv_bn_eval`, which copies each layer once more.
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight,
                    conv.bias,
                    mean,
                    variance,
                    layer.eps,
                    layer.weight,
                    layer.bias,
                )
                block[i] = nn.Identity()


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
