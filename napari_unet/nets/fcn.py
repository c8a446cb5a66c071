"""FCN-32s, FCN-16s and FCN-8s (Long, Shelhamer and Darrell, CVPR 2015, figure 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_unet.nets.convert import fully_convolutional
from napari_unet.nets.layers import ConvBlock
from napari_unet.nets.net import SegmentationNet

if TYPE_CHECKING:
    from napari_unet.nets.unet import Norm

# The 3x3 convolutions of each stage of VGG-16.
STAGES = (2, 2, 3, 3, 3)
COARSEST = 1 << len(STAGES)
# The map that VGG flattens: five halvings of 224 pixels.
FLATTENED = 7


class FCN(SegmentationNet):
    """A classifier made convolutional, whose coarse scores are brought to full size.

    The encoder and the two fully connected layers of a VGG-16, narrower, are turned
    into convolutions by `fully_convolutional`. A 1x1 convolution scores each class at
    stride 32; FCN-16s adds scores of the fourth pooling, FCN-8s those of the third
    too. Transposed convolutions, bilinear before training, bring the scores from one
    stride to the next and at last to the image's size.

    Each class has its own upsampling filter: no class changes another's.

    Parameters
    ----------
    in_channels, n_classes : int
        Channels of the image, and classes.
    stride : {32, 16, 8}
        Of the finest scores.
    width, max_width : int
        Feature maps of the first stage; each stage doubles them, up to `max_width`.
        The paper's are 64 and 512.
    hidden : int
        Feature maps of what were the fully connected layers; 4096 in the paper.
    norm : {"batch", "layer", "none"}
        Normalisation after each 3x3 convolution; the paper has none.
    boundary : bool
        Whether boundaries are scored beside the classes.
    """

    def __init__(
        self,
        in_channels: int,
        n_classes: int,
        *,
        stride: int = 8,
        width: int = 32,
        max_width: int = 256,
        hidden: int = 512,
        norm: Norm = "batch",
        boundary: bool = False,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.boundary_head = boundary
        self.maps = width
        self.stride = stride
        self.down = nn.ModuleList()
        widths = [min(width << level, max_width) for level in range(len(STAGES))]
        channels = in_channels
        for w, convs in zip(widths, STAGES, strict=True):
            self.down.append(ConvBlock(channels, w, norm, "same", convs))
            channels = w
        self.head = convolutional_head(channels, hidden)

        scores = n_classes + boundary
        self.score = nn.Conv2d(hidden, scores, 1)
        self.skip_scores = nn.ModuleList()
        self.upsample = nn.ModuleList()
        at = COARSEST
        for w in reversed(widths[:-1]):
            if at == stride:
                break
            skip = nn.Conv2d(w, scores, 1)
            # As in the paper, a finer net begins as the coarser one it was made from.
            nn.init.zeros_(skip.weight)
            nn.init.zeros_(skip.bias)  # type: ignore[arg-type]
            self.skip_scores.append(skip)
            self.upsample.append(Upsample(scores, 2))
            at //= 2
        self.upsample.append(Upsample(scores, stride))

    @property
    def multiple(self) -> int:
        """Tiles begin where the coarsest pixels do."""
        return COARSEST

    @property
    def margin(self) -> int:
        """What a rectangle of whole coarse pixels needs around it, in pixels.

        Each 3x3 convolution reaches one pixel of its stage, the 7x7 three of the
        coarsest, upsampling one; rounded up to whole coarse pixels.
        """
        stages = sum(convs << level for level, convs in enumerate(STAGES))
        reach = stages + (FLATTENED // 2 + 1) * COARSEST
        return -(-reach // COARSEST) * COARSEST

    @property
    def first_layer(self) -> str:
        """The first convolution."""
        return "down.0.0.weight"

    @property
    def class_layers(self) -> tuple[str, ...]:
        """All that scores or upsamples."""
        skips = (f"skip_scores.{i}" for i in range(len(self.skip_scores)))
        ups = (f"upsample.{i}" for i in range(len(self.upsample)))
        return ("score", *skips, *ups)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of an image of any size.

        Parameters
        ----------
        x : Tensor
            ``(N, C, Y, X)``, float, about 0 to 1.

        Returns
        -------
        Tensor
            ``(N, n_classes, Y, X)``, or one channel more with boundaries.
        """
        image = x
        pooled = []
        for block in self.down:
            x = functional.max_pool2d(block(x), 2, ceil_mode=True)
            pooled.append(x)
        skips = reversed(pooled[:-1])
        out: Tensor = self.score(self.head(x))
        *steps, last = self.upsample
        for upsample, score, skip in zip(steps, self.skip_scores, skips, strict=False):
            out = _corner(upsample(out), skip) + score(skip)
        return _corner(last(out), image)


class Upsample(nn.ConvTranspose2d):
    """A transposed convolution that begins as bilinear interpolation.

    A kernel of twice the stride (section 3.3 of the paper) for each channel of its own.
    The edge is repeated, so that before training it gives what
    `torch.nn.functional.interpolate` does, to the last pixel.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__(
            channels,
            channels,
            2 * stride,
            stride=stride,
            padding=stride + stride // 2,
            groups=channels,
            bias=False,
        )
        with torch.no_grad():
            self.weight.copy_(bilinear_kernel(stride))

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return ``(N, C, stride Y, stride X)``."""
        return super().forward(functional.pad(x, (1, 1, 1, 1), mode="replicate"))


def bilinear_kernel(stride: int) -> Tensor:
    """Return the ``(2 stride, 2 stride)`` weights that interpolate bilinearly."""
    distance = (torch.arange(2 * stride) + 0.5 - stride).abs()
    line = 1 - distance / stride
    return line[:, None] * line


def convolutional_head(channels: int, hidden: int) -> nn.Sequential:
    """Return the fully connected layers of a VGG as convolutions that pad."""
    shape = channels, FLATTENED, FLATTENED
    classifier = nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * FLATTENED * FLATTENED, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(),
    )
    net = fully_convolutional(classifier, shape)
    covering, *others = (m for m in net.modules() if isinstance(m, nn.Conv2d))
    covering.padding = (FLATTENED // 2, FLATTENED // 2)
    layers: list[nn.Module] = []
    for conv in (covering, *others):
        layers += [conv, nn.ReLU(inplace=True), nn.Dropout()]
    return nn.Sequential(*layers)


def _corner(x: Tensor, like: Tensor) -> Tensor:
    """Crop `x` to the size of `like`; pixels begin at the same corner."""
    return x[..., : like.shape[-2], : like.shape[-1]]
