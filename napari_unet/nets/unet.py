"""The U-Net of Ronneberger, Fischer and Brox (MICCAI 2015, figure 1)."""

from typing import Literal

import torch
from torch import Tensor, nn

from napari_unet.nets.layers import ConvBlock, crop_to, halve, pad_to_multiple
from napari_unet.nets.net import SegmentationNet

Norm = Literal["batch", "layer", "none"]
Padding = Literal["same", "valid"]


class UNet(SegmentationNet):
    """A contracting and an expanding path with copy-and-crop between them.

    Convolutions, pooling and up-convolutions only, so an image of any size goes
    through. With ``depth=4, width=64, max_width=1024, norm="none",
    padding="valid", dropout=0.5`` it is the net of the paper: 572 pixels in, 388 out.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    n_classes : int
        Feature maps of the last 1x1 convolution, one logit per class.
    depth : int
        How many times the contracting path halves the resolution.
    width : int
        Feature maps at full resolution; each level below doubles them, up to
        `max_width`.
    max_width : int
        The most feature maps a level has.
    norm : {"batch", "layer", "none"}
        Normalisation after each 3x3 convolution. "layer" normalises over the
        channels of each pixel. None looks across the image at inference, so a tile
        gives what the whole image gives.
    padding : {"same", "valid"}
        "same" pads each 3x3 convolution with zeros and keeps the image's size;
        "valid" does not, as in the paper, and the output is `2 * halo` smaller.
    boundary : bool
        Whether a second 1x1 convolution predicts, beside the classes, how likely each
        pixel is the boundary of an object.
    dropout : float
        The share of feature maps left out, while training, at the end of the
        contracting path (section 3.1 of the paper).
    """

    def __init__(
        self,
        in_channels: int,
        n_classes: int,
        *,
        depth: int = 4,
        width: int = 16,
        max_width: int = 256,
        norm: Norm = "batch",
        padding: Padding = "same",
        boundary: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.boundary_head = boundary
        self.maps = width
        self.depth = depth
        self.padding = padding
        widths = [min(width << level, max_width) for level in range(depth + 1)]

        self.down = nn.ModuleList()
        channels = in_channels
        for w in widths:
            self.down.append(ConvBlock(channels, w, norm, padding))
            channels = w
        self.dropout = nn.Dropout2d(dropout)

        self.upsample = nn.ModuleList()
        self.up = nn.ModuleList()
        for w in reversed(widths[:-1]):
            self.upsample.append(nn.ConvTranspose2d(channels, w, 2, stride=2))
            self.up.append(ConvBlock(2 * w, w, norm, padding))
            channels = w

        self.classify = nn.Conv2d(channels, n_classes, 1)
        self.boundary = nn.Conv2d(channels, 1, 1) if boundary else None

    @property
    def multiple(self) -> int:
        """The number of pixels a side must be a multiple of to be halved evenly."""
        return 1 << self.depth

    @property
    def halo(self) -> int:
        """What an unpadded net loses at each side, in pixels.

        Two 3x3 convolutions at level `l` lose ``2 * 2**l`` on the way down and as
        much on the way up (the bottom counts once). The paper's net loses 92:
        (572 - 388) / 2.
        """
        both_ways = sum(4 << level for level in range(self.depth))
        return both_ways + (2 << self.depth)

    @property
    def reach(self) -> int:
        """How far a pixel of the output can see to each side, in pixels.

        More than the halo by where the pixel lies in its square of the lowest level.
        """
        return self.halo + self.multiple - 1

    @property
    def margin(self) -> int:
        """How many pixels around a rectangle of whole squares its outcome needs.

        The squares are those of the lowest level, `multiple` pixels a side. Less than
        the reach, because the rectangle begins and ends with a square.
        """
        return self.halo + 2

    @property
    def context(self) -> int:
        """What training shows an unpadded net around a crop."""
        return self.margin if self.padding == "valid" else 0

    @property
    def first_layer(self) -> str:
        """The first convolution."""
        return "down.0.0.weight"

    @property
    def class_layers(self) -> tuple[str, ...]:
        """The 1x1 convolution of the classes; that of the boundary is its own."""
        return ("classify",)

    def make_lean(self) -> None:
        """Take padding away, and make one 1x1 convolution of the two heads.

        What it gives for a pixel that is `margin` or more from the border stays the
        same: that pixel never saw a padded zero.
        """
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d):
                conv.padding = (0, 0)
        self.padding = "valid"
        if self.boundary is not None:
            heads = self.classify, self.boundary
            joined = nn.Conv2d(heads[0].in_channels, heads[0].out_channels + 1, 1)
            state = [h.state_dict() for h in heads]
            joined.load_state_dict(
                {key: torch.cat([s[key] for s in state]) for key in state[0]},
                assign=True,
            )
            self.classify, self.boundary = joined, None

    def features(self, x: Tensor) -> Tensor:
        """Return the feature maps under the last layer, ``(N, width, Y', X')``."""
        skips = []
        for level, block in enumerate(self.down):
            if level:
                x = halve(x)
            x = block(x)
            skips.append(x)
        skips.pop()
        x = self.dropout(x)
        for upsample, block in zip(self.upsample, self.up, strict=True):
            x = upsample(x)
            x = block(crop_to(skips.pop(), x), x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of an image of any size.

        Parameters
        ----------
        x : Tensor
            ``(N, C, Y, X)``, float, about 0 to 1.

        Returns
        -------
        Tensor
            ``(N, n_classes, Y', X')``, with one channel more, the boundary's logit, at
            the end where the net has one. Y' and X' are Y and X with padding "same",
            and `2 * halo` less with "valid".

        Raises
        ------
        ValueError
            If padding is "valid" and a side is no size that can be halved evenly;
            572 and every 16 pixels more or less is one at depth 4.
        """
        height, width = x.shape[-2:]
        if self.padding == "same":
            x = pad_to_multiple(x, self.multiple)
        else:
            self._check_valid(height, width)
        x = self.features(x)
        out: Tensor = self.classify(x)
        if self.boundary is not None:
            out = torch.cat([out, self.boundary(x)], dim=1)
        if self.padding == "same":
            out = out[..., :height, :width]
        return out

    def _check_valid(self, height: int, width: int) -> None:
        smallest = 2 * self.halo
        for side in (height, width):
            inside = side - smallest
            if inside <= 0 or inside % self.multiple != 4 % self.multiple:
                raise ValueError(
                    f"{height} x {width} pixels cannot go through an unpadded U-Net of "
                    f"depth {self.depth}; take a side of {smallest} plus a multiple of "
                    f"{self.multiple}, plus 4."
                )
