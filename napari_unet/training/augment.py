"""Augmentation: one warp of image and labels together, and other intensities.

All geometric changes (flips, turns, rotation, scale, elastic) make one sampling
grid, so that a crop is resampled once, whatever is combined.
"""

import torch
from torch import Tensor
from torch.nn import functional

# How much larger than the crop the cut-out is, so that a turned or shrunken crop
# still finds true pixels in its corners.
MARGIN = 1.5

# How many clouds, of three sizes, lie along a crop.
CLOUDS = (5, 17, 65)


def warp(
    image: Tensor, labels: Tensor, side: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return turned, scaled and bent crops of ``side x side`` from larger cut-outs.

    Parameters
    ----------
    image : Tensor
        ``(N, C, S, S)``, S about `MARGIN` times `side`.
    labels : Tensor
        ``(N, K, S, S)``, float32: maps of whole numbers below 2**24, which stay such.
        Outside the cut-out they are 0.
    side : int
        Height and width of what is returned.
    generator : torch.Generator
        Source of all chance, on the CPU.
    """
    grid = _random_grid(len(image), side, image.shape[-1], generator)
    image = functional.grid_sample(
        image, grid, padding_mode="reflection", align_corners=False
    )
    labels = functional.grid_sample(labels, grid, mode="nearest", align_corners=False)
    return image, labels


def cut_mix(
    image: Tensor, labels: Tensor, mixed: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return crops in which a rectangle, or all around it, is another crop's.

    CutMix (Yun et al. 2019, section 3.1) for strokes. Few strokes lie in few places,
    and a net that sees far knows the place instead of the class; here each stroke turns
    up in many surroundings. The middle of a crop, which it was drawn for, stays.

    Parameters
    ----------
    image : Tensor
        ``(N, C, S, S)``.
    labels : Tensor
        ``(N, K, S, S)``, exchanged with the pixels.
    mixed : Tensor
        ``(N,)``, bool: which crops to mix with each other.
    generator : torch.Generator
        Source of all chance, on the CPU.
    """
    n, side = int(mixed.sum()), image.shape[-1]
    if n < 2:
        return image, labels
    which = mixed.nonzero()[:, 0]
    partner = (torch.arange(n) + torch.randint(1, n, (n,), generator=generator)) % n
    size = _uniform(2 * n, 0.25, 0.75, generator).view(n, 2, 1) * side
    begin = torch.rand(n, 2, 1, generator=generator) * (side - size)
    along = torch.arange(side)
    rows, columns = ((begin <= along) & (along < begin + size)).unbind(1)
    rectangle = rows[:, None, :, None] & columns[:, None, None, :]
    middle = rectangle[:, :, side // 2, side // 2].view(n, 1, 1, 1)

    def exchanged(values: Tensor) -> Tensor:
        own = values[which]
        return values.index_copy(
            0, which, torch.where(rectangle ^ middle, own[partner], own)
        )

    return exchanged(image), exchanged(labels)


def recolour(
    image: Tensor,
    strength: Tensor,
    generator: torch.Generator,
    *,
    any_stain: bool = False,
) -> Tensor:
    """Return crops of other intensities, sharpness and noise.

    Parameters
    ----------
    image : Tensor
        ``(N, C, Y, X)``, about 0 to 1.
    strength : Tensor
        ``(N,)``, how much each is changed, 0 to 1, where not to any stain.
    generator : torch.Generator
        Source of all chance, on the CPU.
    any_stain : bool
        Whether intensities are changed, in half of the crops, as from one stain or
        microscope to another, and not only as from one image to the next.
    """
    if not any_stain:
        return _random_intensity(image, strength, generator)
    image = _random_intensity(image, torch.ones(len(image)), generator)
    half = torch.rand(len(image), 1, 1, 1, generator=generator) < 0.5
    return torch.where(half, _random_stain(image, generator), image)


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


def _random_intensity(
    image: Tensor, strength: Tensor, generator: torch.Generator
) -> Tensor:
    """Change gamma, contrast, brightness, sharpness and noise of each crop."""
    n, channels = image.shape[:2]
    strength = strength.view(n, 1, 1, 1)

    def each(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, generator).view(n, 1, 1, 1)

    def each_channel(reach: float) -> Tensor:
        flat = _uniform(n * channels, -reach, reach, generator)
        return flat.view(n, channels, 1, 1)

    gamma = 2 ** (strength * each(-0.5, 0.5))
    image = image.sign() * image.abs().clamp(min=1e-6) ** gamma
    image = image * (1 + strength * each(-0.3, 0.3))
    image = image + strength * each(-0.15, 0.15)
    if channels > 1:
        # Channels change apart from each other too, as one stain differs from the next.
        image = image * (1 + strength * each_channel(0.2))
        image = image + strength * each_channel(0.1)
    sigma = each(-1.0, 1.2).clamp(min=0.05)
    offset = torch.arange(-2.0, 3.0)
    kernel = torch.exp(-(offset**2) / (2 * sigma.view(n, 1) ** 2))
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    image = _blur(image, kernel)
    noise = torch.randn(image.shape, generator=generator)
    return image + noise * strength * each(-0.05, 0.08).clamp(min=0)


def _random_stain(image: Tensor, generator: torch.Generator) -> Tensor:
    """Make crops look as another stain or another microscope would show them.

    Each channel takes its own contrast, clouds as of a counterstain lie over half of
    the crops, and half are turned from light on dark to dark on light.
    """
    n, channels, height, width = image.shape

    def each(low: float, high: float, k: int = 1) -> Tensor:
        return _uniform(n * k, low, high, generator).view(n, k, 1, 1)

    clouds = torch.zeros(n, 1, height, width)
    for size in CLOUDS:
        coarse = torch.rand(n, 1, size, size, generator=generator)
        clouds += functional.interpolate(coarse, (height, width), mode="bicubic")
    clouds = (clouds / len(CLOUDS) - 0.3).clamp(min=0) * each(-1.5, 1.5).clamp(min=0)
    contrast = each(0.3, 1.2, channels) ** each(0, 1)
    image = image * contrast + clouds * each(0, 1, channels)
    return torch.where(each(0, 1) < 0.5, 1 - image, image)


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
