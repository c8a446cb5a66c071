"""A classifier of patches, run on all patches of an image at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_unet.nets.convert import fully_convolutional
from napari_unet.nets.layers import pad_to_multiple
from napari_unet.nets.net import SegmentationNet

# The kernels of the convolutions, each followed by a pooling, and what that makes: the
# side of a patch, and how far apart the patches of a dense map are, in pixels.
KERNELS = (5, 5, 3)
PATCH, STRIDE = 36, 8
# The side of the last map, which the fully connected layers see.
LAST = 2
AROUND = (PATCH - STRIDE) // 2


class PatchClassifier(SegmentationNet):
    """Learns what example patches show, and says it of every patch of an image.

    A small classifier with fully connected layers is trained on patches of 36 x 36
    pixels around labelled pixels; one click is an example. `fully_convolutional` turns
    it into a net that scores the patches of a whole image, one every 8 pixels, and the
    coarse scores are interpolated.

    Parameters
    ----------
    in_channels, n_classes : int
        Channels of the image, and classes.
    width : int
        Feature maps of the first convolution; each doubles them.
    hidden : int
        Units of the fully connected layer.
    """

    own_loss = True

    def __init__(
        self, in_channels: int, n_classes: int, *, width: int = 16, hidden: int = 128
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.boundary_head = False
        self.maps = width
        self.in_channels = in_channels
        layers: list[nn.Module] = []
        channels = in_channels
        for level, kernel in enumerate(KERNELS):
            layers += [nn.Conv2d(channels, width << level, kernel), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
            channels = width << level
        inputs = channels * LAST * LAST
        layers += [nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.2)]
        self.classifier = nn.Sequential(*layers, nn.Linear(hidden, n_classes))
        self._dense: nn.Module | None = None

    @property
    def multiple(self) -> int:
        """How far apart patches are."""
        return STRIDE

    @property
    def margin(self) -> int:
        """What a patch shows around its middle, and one more to interpolate."""
        return -(-AROUND // STRIDE) * STRIDE + STRIDE

    @property
    def first_layer(self) -> str:
        """The first convolution."""
        return "classifier.0.weight"

    @property
    def class_layers(self) -> tuple[str, ...]:
        """The last fully connected layer."""
        return (f"classifier.{len(self.classifier) - 1}",)

    def make_lean(self) -> None:
        """Convert the classifier once for all images to come."""
        self._dense = self._converted()

    def loss(
        self, image: Tensor, objects: Tensor, classes: Tensor, known: Tensor
    ) -> Tensor:
        """Return the cross-entropy of one patch of each crop, around a labelled pixel.

        The parameters are those of `SegmentationNet.loss`. Of the labelled pixels that
        have a whole patch around them the one nearest to the middle is taken.
        """
        half = PATCH // 2
        inner = classes[
            :, half : classes.shape[1] - half, half : classes.shape[2] - half
        ]
        patches, truth = [], []
        for crop, labels in zip(image, inner, strict=True):
            places = torch.nonzero(labels >= 0)
            if not len(places):
                continue
            middle = places.new_tensor(labels.shape) // 2
            y, x = places[(places - middle).square().sum(1).argmin()].tolist()
            patches.append(crop[:, y : y + PATCH, x : x + PATCH])
            truth.append(labels[y, x])
        if not patches:
            # Zero, and so is the gradient of each weight: a step that changes nothing.
            return image.sum() * 0 + sum(p.sum() * 0 for p in self.parameters())
        scores = self.classifier(torch.stack(patches))
        return functional.cross_entropy(scores, torch.stack(truth).to(scores.device))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of an image of any size, interpolated between patches.

        Parameters
        ----------
        x : Tensor
            ``(N, C, Y, X)``, float, about 0 to 1.

        Returns
        -------
        Tensor
            ``(N, n_classes, Y, X)``.
        """
        height, width = x.shape[-2:]
        dense = self._dense or self._converted()
        x = pad_to_multiple(x, STRIDE)
        # The first patch has its middle in the middle of the first 8 pixels.
        scores = dense(functional.pad(x, (AROUND,) * 4, mode="replicate"))
        out = functional.interpolate(scores, scale_factor=STRIDE, mode="bilinear")
        return out[..., :height, :width]

    def _converted(self) -> nn.Module:
        return fully_convolutional(self.classifier, (self.in_channels, PATCH, PATCH))
