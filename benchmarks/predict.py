"""How fast, and in how much memory, images of 0.25 to 64 megapixels are predicted.

    python benchmarks/predict.py [--sizes 0.25 1 4] [--repeats 5] [--json FILE]

Each size has a process of its own, which opens a TIFF of simulated nuclei, predicts
once to warm up on a small image, and then, several times, one after the other:
multiplies matrices, lets the net run on one tile that is in memory, and predicts the
whole image from the file to its objects. The columns:

MP/s      pixels of the image by the seconds of the whole prediction
net       FLOP/s of the net's convolutions on a tile, by those of the matrix product
whole     FLOP/s of the whole prediction: the convolutions of all tiles with their
          margins, by all its seconds; again by those of the matrix product
useful    the same, but counted as if no tile needed a margin
peak MB   the most memory the process had, less the image and the labels: Python,
          torch and everything else included

Medians of the repeats; the ratios are taken within each. The model is `nuclei`, or,
where it does not ship, one of the default architecture with random weights.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (0.25, 1.0, 4.0, 16.0, 64.0)
OUT = Path(__file__).parent / "results" / "predict.json"
MATRICES = (2048, 4096)
MEGABYTE = 1_000_000


def side_of(megapixels):
    return round((megapixels * 2**20) ** 0.5)


def write_image(path, side):
    import numpy as np
    import tifffile

    from napari_unet.images import simulate_nuclei

    pixels, _ = simulate_nuclei((512, 512))
    times = -(-side // 512)
    tifffile.imwrite(path, np.tile(pixels, (times, times))[:side, :side])


def measure(path, repeats, threads):
    """Return the figures of one image, and print them as JSON."""
    import torch

    from napari_unet.images import open_image
    from napari_unet.inference import Planned, PredictConfig, Predicted, predict
    from napari_unet.inference.prepare import prepare
    from napari_unet.inference.tiles import cut
    from napari_unet.nets.allocator import kept_memory
    from napari_unet.nets.choice import choose_device

    if threads:
        torch.set_num_threads(threads)
    model = open_model()
    device, _ = choose_device("cpu")
    config = PredictConfig(device="cpu")
    prepared = prepare(model.net, device)
    image = open_image(path)

    list(predict(model, small_image(), config=config))
    runs = []
    for _ in range(repeats):
        rate = matmul_rate(device.dtype)
        events = list(predict(model, image, config=config))
        planned = next(e for e in events if isinstance(e, Planned))
        predicted = next(e for e in events if isinstance(e, Predicted))
        tiles = list(cut(image.whole(), predicted.tile, prepared.multiple))
        with kept_memory():
            tile_flops, tile_seconds = run_net(prepared, model, tiles[0].shape)
        flops = sum(tile_flop(prepared, model, t.shape) for t in tiles)
        runs.append(
            {
                "matmul_tflops": rate / 1e12,
                "seconds": predicted.seconds,
                "net": tile_flops / tile_seconds / rate,
                "whole": flops / predicted.seconds / rate,
                "useful": flops_without_margin(model, image.plane_shape)
                / predicted.seconds
                / rate,
            }
        )
    pixels = image.plane_shape[0] * image.plane_shape[1]
    figures = {k: statistics.median(run[k] for run in runs) for k in runs[0]}
    kept = pixels * (image.dtype.itemsize + 1 + 4)
    print(
        json.dumps(
            {
                "megapixels": pixels / 1e6,
                "tile": predicted.tile,
                "tiles": planned.tiles,
                "precision": device.precision,
                "threads": torch.get_num_threads(),
                "model": model.spec.name,
                "objects": predicted.objects,
                "megapixels_per_second": pixels / 1e6 / figures["seconds"],
                "peak_megabytes": (peak_memory() - kept) / MEGABYTE,
                **figures,
            }
        )
    )


def open_model():
    from napari_unet.annotation import ClassScheme
    from napari_unet.models import ModelSpec, base_models, build, load_model

    if "nuclei" in base_models():
        return load_model("nuclei")
    spec = ModelSpec(name="random", channels=3, classes=ClassScheme.named("nucleus"))
    return build(spec)


def small_image():
    from napari_unet.images import image_from_array, simulate_nuclei

    return image_from_array(simulate_nuclei((256, 256))[0], "YX")


def matmul_rate(dtype):
    """Return the highest FLOP/s of some products of square matrices."""
    import torch

    rates = []
    for size in MATRICES:
        a = torch.randn(size, size).to(dtype)
        for _ in range(3):
            start = time.perf_counter()
            a @ a
            rates.append(2 * size**3 / (time.perf_counter() - start))
    return max(rates)


def run_net(prepared, model, shape):
    """Return the FLOP of the net on a tile, and the seconds of its best of three."""
    import torch

    x = torch.rand(1, model.spec.channels, *padded(prepared, shape)).to(
        prepared.device.dtype, memory_format=prepared.device.memory_format
    )
    seconds = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.perf_counter()
            prepared.net(x)
            seconds.append(time.perf_counter() - start)
    return tile_flop(prepared, model, shape), min(seconds)


def padded(prepared, shape):
    multiple, margin = prepared.multiple, prepared.margin
    return tuple(-(-n // multiple) * multiple + 2 * margin for n in shape)


def tile_flop(prepared, model, shape):
    """Return the FLOP of the convolutions on a tile with its margin."""
    return count_flop(model, padded(prepared, shape), lambda net: net.make_lean())


def flops_without_margin(model, shape):
    """Return the FLOP of the convolutions in one pass over the whole image."""
    return count_flop(model, shape, lambda net: None)


def count_flop(model, shape, change):
    import copy

    import torch
    from torch.utils.flop_counter import FlopCounterMode

    net = copy.deepcopy(model.net).to("meta").eval()
    change(net)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        net(torch.empty(1, model.spec.channels, *shape, device="meta"))
    return counter.get_total_flops()


def peak_memory():
    """Return the most memory that this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def run(megapixels, repeats, threads):
    """Measure one size in a process of its own."""
    here = (
        sys.executable,
        __file__,
        "--repeats",
        str(repeats),
        "--threads",
        str(threads),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/nuclei.tif"
        subprocess.run([*here, "--write", path, str(side_of(megapixels))], check=True)
        text = subprocess.check_output([*here, "--measure", path], text=True)
    return json.loads(text.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=5, help="fewer from 16 MP on")
    parser.add_argument("--threads", type=int, default=0, help="all by default")
    parser.add_argument("--json", type=Path, default=OUT)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_image(options.write[0], int(options.write[1]))
    elif options.measure:
        measure(options.measure, options.repeats, options.threads)
    else:
        run_all(options)


def run_all(options):

    print("    MP   tile   MP/s    net  whole  useful  peak MB  matmul TFLOP/s")
    rows = []
    for size in options.sizes:
        repeats = max(1, options.repeats if size < 16 else options.repeats // 2)
        row = run(size, repeats, options.threads)
        rows.append(row)
        print(
            f"{row['megapixels']:6.2f} {row['tile']:6} "
            f"{row['megapixels_per_second']:6.2f} {row['net']:6.2f} "
            f"{row['whole']:6.2f} {row['useful']:7.2f} {row['peak_megabytes']:8.0f} "
            f"{row['matmul_tflops']:15.2f}",
            flush=True,
        )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    about = {"machine": platform.machine(), "python": platform.python_version()}
    options.json.write_text(json.dumps({**about, "sizes": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
