"""How fast classes and a map of heights become objects, in planes and in stacks.

    python benchmarks/decoding.py [--repeats 9] [--json]

The objects are cells of a random pattern that fill about half of the image and touch
many others. Their map is `soft`, as a net's that is unsure, with noise and with the
summit at the centre of each cell; or `saturated`, as a sure net's, which is flat inside
them. Pixels of a stack are voxels. Medians of the repeats; nothing here uses more than
one thread. The ways of decoding take turns, so that a busy machine is busy for all.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_unet.instances import label_components, label_hills

OUT = Path(__file__).parent / "results" / "decoding.json"
SHAPES = ((1024, 1024), (24, 208, 208))
DENSITIES = (200, 2000)


def cells(shape, density, *, saturated, seed=0):
    """Return the classes and the heights of an image of cells.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) or (Z, Y, X).
    density : int
        Cells for each million pixels.
    saturated : bool
        Whether the heights are flat inside cells.
    seed : int
        For the random numbers.
    """
    rng = np.random.default_rng(seed)
    centres = np.zeros(shape, bool)
    count = round(centres.size * density / 1e6)
    centres[tuple(rng.integers(0, n, count) for n in shape)] = True
    far, nearest = ndimage.distance_transform_edt(~centres, return_indices=True)
    cell = np.ravel_multi_index(nearest, shape)
    radius = 0.5 * (1e6 / density) ** (1 / len(shape))
    inside = far < radius
    between = ndimage.maximum_filter(cell, 3) != ndimage.minimum_filter(cell, 3)
    depth = ndimage.distance_transform_edt(inside & ~between)
    height = 1 / (1 + np.exp((1.5 - depth) * (5 if saturated else 1.2)))
    if not saturated:
        height *= 1 - 0.2 * np.minimum(far / radius, 1)
        height += rng.normal(0, 0.01, shape)
    return inside.astype(np.uint8), np.clip(height * 255, 0, 255).astype(np.uint8)


def measure(shape, density, *, saturated, repeats):
    """Return the figures of one image."""
    semantic, height = cells(shape, density, saturated=saturated)
    ways = {
        "components": lambda: label_components(semantic),
        "hills": lambda: label_hills(semantic, height),
        "hills_filled": lambda: label_hills(
            semantic, height, min_size=15, fill_holes=True
        ),
    }
    objects = int(ways["hills"]().max())
    seconds = {name: [] for name in ways}
    for _ in range(repeats):
        for name, decode in ways.items():
            start = time.perf_counter()
            decode()
            seconds[name].append(time.perf_counter() - start)
    return {
        "shape": shape,
        "objects_per_megapixel": density,
        "map": "saturated" if saturated else "soft",
        "objects": objects,
        "megapixels_per_second": {
            name: semantic.size / 1e6 / statistics.median(taken)
            for name, taken in seconds.items()
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true", help=f"write {OUT.name}")
    options = parser.parse_args()
    rows = []
    print(
        "image          objects/MP  map        objects  components  hills  filled MP/s"
    )
    for shape in SHAPES:
        for density in DENSITIES:
            for saturated in (False, True):
                row = measure(
                    shape, density, saturated=saturated, repeats=options.repeats
                )
                rows.append(row)
                speeds = row["megapixels_per_second"]
                print(
                    f"{' x '.join(map(str, shape)):14} {density:>10}  {row['map']:9}"
                    f"{row['objects']:>9}{speeds['components']:>12.0f}"
                    f"{speeds['hills']:>7.1f}{speeds['hills_filled']:>8.1f}",
                    flush=True,
                )
    if options.json:
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
