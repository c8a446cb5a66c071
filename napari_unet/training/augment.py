"""Augmentation: one warp of image and labels together, then intensities.

All geometric changes (flips, turns, rotation, scale, elastic) make one sampling
grid, so that a crop is resampled once, whatever is combined.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# How much larger than the crop the cut-out is, so that a turned or shrunken crop
# still finds true pixels in its corners.
MARGIN = 1.5


@dataclass(frozen=True)
class Crops:
    """A batch: image crops and their targets, on one device.

    Attributes
    ----------
    image : Tensor
        ``(N, C, Y, X)``, float32, normalised.
    classes : Tensor
        ``(N, Y, X)``, int64; -1 where not labelled.
    weight, distance : Tensor
        ``(N, Y, X)``, float32.
    known : Tensor
        ``(N, Y, X)``, bool: where the distance is known.
    """

    image: Tensor
    classes: Tensor
    weight: Tensor
    distance: Tensor
    known: Tensor


def augment(crops: Crops, side: int, generator: torch.Generator) -> Crops:
    """Return randomly changed crops of ``side x side`` from larger cut-outs.

    Parameters
    ----------
    crops : Crops
        Cut-outs of ``(N, ·, S, S)``, S about `MARGIN` times `side`.
    side : int
        Height and width of what is returned.
    generator : torch.Generator
        Source of all chance, on the CPU.
    """
    image, labels = crops.image, crops.classes
    grid = _random_grid(len(image), side, image.shape[-1], generator)
    maps = torch.stack(
        [labels + 1, crops.weight, crops.distance, crops.known], dim=1
    ).to(image.dtype)
    image = functional.grid_sample(
        image, grid, padding_mode="reflection", align_corners=False
    )
    # Outside the cut-out every map is 0: class 0 less one is "not labelled".
    maps = functional.grid_sample(maps, grid, mode="nearest", align_corners=False)
    return Crops(
        _random_intensity(image, generator),
        maps[:, 0].round().long() - 1,
        maps[:, 1],
        maps[:, 2],
        maps[:, 3] > 0.5,
    )


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _random_grid(n: int, side: int, source: int, generator: torch.Generator) -> Tensor:
    """Return where each pixel of the crop is read, ``(N, side, side, 2)``, -1 to 1."""
    quarter = torch.randint(4, (n,), generator=generator) * (torch.pi / 2)
    free = _uniform(n, -torch.pi / 4, torch.pi / 4, generator)
    half = torch.rand(n, generator=generator) < 0.5
    angle = quarter + free * half
    scale = 2 ** _uniform(n, -0.4, 0.4, generator) * (side / source)
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = scale * flip * angle.cos()
    theta[:, 0, 1] = -scale * angle.sin()
    theta[:, 1, 0] = scale * flip * angle.sin()
    theta[:, 1, 1] = scale * angle.cos()
    grid = functional.affine_grid(theta, [n, 1, side, side], align_corners=False)
    # Elastic, as in the U-Net paper: a coarse grid of random vectors, smoothed.
    strength = _uniform(n, 0, 0.03, generator).view(n, 1, 1, 1)
    vectors = torch.randn(n, 2, 5, 5, generator=generator) * strength
    smooth = functional.interpolate(vectors, size=(side, side), mode="bicubic")
    return grid + smooth.movedim(1, -1)


def _random_intensity(image: Tensor, generator: torch.Generator) -> Tensor:
    """Change gamma, contrast, brightness, sharpness and noise of each crop."""
    n, channels = image.shape[:2]

    def each(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, generator).view(n, 1, 1, 1)

    def each_channel(low: float, high: float) -> Tensor:
        flat = _uniform(n * channels, low, high, generator)
        return flat.view(n, channels, 1, 1)

    gamma = 2 ** each(-0.5, 0.5)
    image = image.sign() * image.abs().clamp(min=1e-6) ** gamma
    # Channels change apart from each other too, as one stain differs from the next.
    image = image * each(0.7, 1.3) * each_channel(0.8, 1.2)
    image = image + each(-0.15, 0.15) + each_channel(-0.1, 0.1)
    sigma = each(-1.0, 1.2).clamp(min=0.05)
    offset = torch.arange(-2.0, 3.0)
    kernel = torch.exp(-(offset**2) / (2 * sigma.view(n, 1) ** 2))
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    image = _blur(image, kernel)
    noise = torch.randn(image.shape, generator=generator)
    return image + noise * each(-0.05, 0.08).clamp(min=0)


def _blur(image: Tensor, kernel: Tensor) -> Tensor:
    """Blur crop `i` of `image` with ``kernel[i]`` in both directions."""
    n, channels, height, width = image.shape
    k = kernel.repeat_interleave(channels, dim=0)
    x = functional.pad(
        image.reshape(1, n * channels, height, width), (2, 2, 2, 2), mode="reflect"
    )
    x = functional.conv2d(x, k[:, None, None, :], groups=n * channels)
    x = functional.conv2d(x, k[:, None, :, None], groups=n * channels)
    return x.reshape(image.shape)
