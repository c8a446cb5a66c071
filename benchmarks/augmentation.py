"""Time augmenting a batch: one warp with torch, and kornia where it is installed.

    python benchmarks/augmentation.py

kornia is no dependency of the project: ``pip install kornia`` to compare.
"""

import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable

import torch

from napari_unet.training.augment import MARGIN, recolour, warp

BATCH, SIDE, CHANNELS = 4, 256, 3


def median(job: Callable[[], object], repeats: int = 9) -> float:
    job()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def ours() -> Callable[[], object]:
    big = int(SIDE * MARGIN)
    image = torch.rand(BATCH, CHANNELS, big, big)
    maps = torch.randint(0, 9, (BATCH, 4, big, big)).float()
    generator = torch.Generator().manual_seed(0)
    return lambda: recolour(warp(image, maps, SIDE, generator)[0], generator)


def kornia() -> Callable[[], object]:
    import kornia.augmentation as k

    chain = k.AugmentationSequential(
        k.RandomHorizontalFlip(),
        k.RandomRotation90((0, 3)),
        k.RandomAffine(180.0, scale=(0.75, 1.33), padding_mode="reflection"),
        k.RandomElasticTransform(padding_mode="reflection"),
        k.RandomBrightness(),
        k.RandomContrast(),
        k.RandomGamma(),
        k.RandomGaussianNoise(std=0.05),
        k.RandomGaussianBlur((5, 5), (0.1, 1.2)),
        data_keys=["input", "mask"],
    )
    image = torch.rand(BATCH, CHANNELS, SIDE, SIDE)
    maps = torch.rand(BATCH, 4, SIDE, SIDE)
    return lambda: chain(image, maps)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"{BATCH} crops of {CHANNELS}x{SIDE}x{SIDE}, one thread, median of 9")
    print(f"torch, one warp   {1e3 * median(ours()):6.1f} ms")
    if importlib.util.find_spec("kornia"):
        print(f"kornia, a chain   {1e3 * median(kornia()):6.1f} ms")
    else:
        print("kornia            not installed")


if __name__ == "__main__":
    main()
