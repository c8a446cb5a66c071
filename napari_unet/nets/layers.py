"""The pieces a U-Net is made of."""

import torch
from torch import Tensor, nn


class LayerNorm2d(nn.Module):
    """Normalise the channels of each pixel (Ba, Kiros and Hinton 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` ``(N, C, Y, X)`` with zero mean and unit variance over C."""
        normed: Tensor = self.norm(x.movedim(1, -1))
        return normed.movedim(-1, 1)


NORMS = {
    "batch": nn.BatchNorm2d,
    "layer": LayerNorm2d,
    "none": nn.Identity,
}


class Conv(nn.Conv2d):
    """A convolution of feature maps, or of two stacks of them put together."""

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return ``(N, C', Y', X')``; the channels of `beside` follow those of `x`."""
        return super().forward(x if beside is None else torch.cat([x, beside], dim=1))


class ConvBlock(nn.Sequential):
    """Some 3x3 convolutions, two in a U-Net, each followed by a norm and a ReLU."""

    def __init__(
        self, channels: int, width: int, norm: str, padding: str, convs: int = 2
    ) -> None:
        pad = 1 if padding == "same" else 0
        layers: list[nn.Module] = []
        for inputs in (channels, *[width] * (convs - 1)):
            layers += [
                Conv(inputs, width, 3, padding=pad, bias=norm == "none"),
                NORMS[norm](width),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return ``(N, width, Y', X')``; see `Conv` for `beside`."""
        first, *others = self
        x = first(x, beside)
        for layer in others:
            x = layer(x)
        return x


def crop_to(x: Tensor, like: Tensor) -> Tensor:
    """Return the middle of `x` with the height and width of `like`."""
    top = (x.shape[-2] - like.shape[-2]) // 2
    left = (x.shape[-1] - like.shape[-1]) // 2
    return x[..., top : top + like.shape[-2], left : left + like.shape[-1]]


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Extend `x` at the bottom and right until both sides are a `multiple`.

    The edge is repeated: a mirror would need an image larger than the padding.
    """
    bottom, right = -x.shape[-2] % multiple, -x.shape[-1] % multiple
    if not (bottom or right):
        return x
    return nn.functional.pad(x, (0, right, 0, bottom), mode="replicate")


def halve(x: Tensor) -> Tensor:
    """Return the largest of each square of 2 x 2 pixels; none may be negative."""
    if x.is_cpu and torch.is_inference_mode_enabled():
        # Two to three times as fast as a pooling that also notes where each value came
        # from. Of two numbers that are not negative, the larger has the larger bits.
        bits = x.view({2: torch.int16, 4: torch.int32}[x.itemsize])
        bits = torch.maximum(bits[..., 0:-1:2, :], bits[..., 1::2, :])
        return torch.maximum(bits[..., 0:-1:2], bits[..., 1::2]).view(x.dtype)
    return nn.functional.max_pool2d(x, 2)
