"""Time what comes before a training step, on one thread.

    python benchmarks/augmentation.py

Augmenting a batch: one warp with torch, and kornia where it is installed, which is no
dependency of the project (``pip install kornia``). Then a step of live training with
the usual net: drawing, augmenting and targets of its crops, and learning from them.
Last the border weights of the U-Net paper for 200 cells in 512 x 512 pixels.
"""

import argparse
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from napari_unet.annotation import Annotation, ClassScheme, make_targets
from napari_unet.images import image_from_array, measure_intensity
from napari_unet.images.simulate import simulate_nuclei
from napari_unet.models import ModelSpec, build
from napari_unet.nets.choice import choose_device
from napari_unet.training import Learner, TrainConfig, TrainingImage, TrainingSet
from napari_unet.training.augment import MARGIN, recolour, warp

BATCH, SIDE, CHANNELS = 4, 256, 3
CELLS_ALONG, PITCH = 14, 36


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
    strength = torch.full((BATCH,), 0.5)
    return lambda: recolour(warp(image, maps, SIDE, generator)[0], strength, generator)


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


def step(repeats: int = 15) -> tuple[float, float]:
    """Return the median seconds of preparing a batch and of learning from it."""
    pixels, truth = simulate_nuclei()
    image = image_from_array(pixels)
    annotation = Annotation.of(image)
    annotation.write_objects(image.whole(), truth)
    annotation.verify(image.whole())
    intensity = measure_intensity(image, (0,))
    spec = ModelSpec(name="bench", classes=ClassScheme.named("nucleus"))
    data, config = TrainingSet(spec), TrainConfig()
    data.add(TrainingImage("a", image, (0,), intensity, annotation))
    learner = Learner(build(spec), choose_device("cpu")[0], config)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        crops, _ = data.draw(config.batch, config.crop)
        drawn = time.perf_counter()
        learner.step(crops, data.counts)
        times.append((drawn - began, time.perf_counter() - drawn))
    prepare, learn = np.median(times[3:], axis=0)
    return float(prepare), float(learn)


def border_weights() -> Callable[[], object]:
    objects = np.zeros((512, 512), np.int32)
    y, x = np.indices(objects.shape)
    random = np.random.default_rng(0)
    for i in range(200):
        corner = np.array(divmod(i, CELLS_ALONG)) * PITCH + PITCH // 2
        cy, cx = corner + random.integers(-6, 7, 2)
        objects[(y - cy) ** 2 + (x - cx) ** 2 < 14**2] = i + 1
    nothing, verified = np.zeros(objects.shape, np.uint8), objects >= 0
    return lambda: make_targets(nothing, objects, {}, verified, gaps=True)


def main() -> None:
    # For --help: there is nothing to choose.
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"{BATCH} crops of {CHANNELS}x{SIDE}x{SIDE}, one thread, median of 9")
    print(f"torch, one warp   {1e3 * median(ours()):6.1f} ms")
    if importlib.util.find_spec("kornia"):
        print(f"kornia, a chain   {1e3 * median(kornia()):6.1f} ms")
    else:
        print("kornia            not installed")
    prepare, learn = step()
    share = prepare / (prepare + learn)
    print(f"a step            {1e3 * prepare:6.1f} ms to prepare its crops, ")
    print(f"                  {1e3 * learn:6.1f} ms to learn: {share:.0%} for crops")
    print(f"border weights    {1e3 * median(border_weights()):6.1f} ms")


if __name__ == "__main__":
    main()
