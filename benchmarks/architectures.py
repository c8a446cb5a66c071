"""FCNs, U-Nets and a Mask R-CNN side by side, trained in the same minutes.

    python benchmarks/architectures.py --data DIR [--minutes 3] [--threads 1] [--staged]
    python benchmarks/architectures.py --data DIR --only fcn-8s,unet-same --json
    python benchmarks/architectures.py --shapes

DIR holds ``nuclei/index.csv``, ``nuclei/images`` and ``nuclei/masks`` (BBBC038); all
kinds of image count, in three channels.  Each net learns `train`, where every object is
verified, from random weights; the averaged weights of the last step are scored on
`test`.  ``--staged`` trains FCN-32s, FCN-16s and FCN-8s once more, each from the one
before (Long et al. 2015, section 4.3) and for a third of the minutes.  ``--shapes``
trains the three on simulated discs and squares instead, for so many steps each.

The columns:

IoU       of the pixels in objects, all images together
pooled    average precision at an IoU of 0.50, of all objects together
mean      the same as a mean over images
Dice, wrong   of the pixels within 3 of a border between object and ground: the Dice of
          those in objects, and the share that is on the wrong side, the boundary error
weights   parameters in millions
wall, CPU seconds of training; those of a staged net are of its own stage
MP/s      pixels of `test` by the seconds from pixels in memory to the objects, the net
          prepared anew for each image

With ``--json`` results are kept after each net, beside those of earlier runs.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import torch
from base_model import pair, rows
from numpy.typing import NDArray
from peers import machine
from scipy import ndimage

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.cli.training_folder import open_training_folder
from napari_unet.images import Image, image_from_array, measure_intensity
from napari_unet.inference import PredictConfig, Predicted, predict
from napari_unet.metrics import ObjectScores, confusion, dice, iou, score_objects
from napari_unet.models import ARCHITECTURES, Model, ModelSpec, adapt, build
from napari_unet.models.architecture import (
    Architecture,
    FCNArchitecture,
    UNetArchitecture,
    missing_extra,
)
from napari_unet.nets.choice import choose_device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    train,
)

CLASSES = ClassScheme.named("nucleus")
OUT = Path(__file__).parent / "results" / "architectures.json"
WIDTH = {"width": 32, "max_width": 128}
FCNS = ("fcn-32s", "fcn-16s", "fcn-8s")
NETS: dict[str, Architecture] = {
    **{name: ARCHITECTURES[name] for name in FCNS},
    # Both of one width: that of 2015 takes too long on a CPU.
    "unet-valid": UNetArchitecture(**WIDTH, padding="valid", boundary=False),
    "unet-same": UNetArchitecture(**WIDTH),
    "maskrcnn": ARCHITECTURES["maskrcnn"],
}
PREDICT = PredictConfig(device="cpu")
BORDER = 3
SHAPE_SIDE, SHAPES = 256, 24
TRAIN_SHAPES, TEST_SHAPES = 16, 8

Pair = tuple[Image, NDArray[np.integer]]
Row = dict[str, Any]


def learn(model: Model, data: TrainingSet, config: TrainConfig) -> tuple[Model, Row]:
    """Train, and return the averaged weights of the last step and what it took."""
    torch.manual_seed(config.seed)
    learner = Learner(model, choose_device("cpu")[0], config)
    wall, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for _ in train(learner, data, Checkpoints(folder)):
            pass
    figures = {
        "parameters": sum(p.numel() for p in model.net.parameters()),
        "steps": learner.steps,
        "train_seconds": time.monotonic() - wall,
        "train_cpu_seconds": time.process_time() - cpu,
        "precision": learner.device.precision,
        "config": asdict(config) | {"learning_rate": learner.learning_rate},
    }
    return learner.model(), figures


def near_border(truth: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which pixels lie within `BORDER` of one between object and ground."""
    inside = truth > 0
    if inside.all() or not inside.any():
        return np.zeros(truth.shape, bool)
    away = ndimage.distance_transform_edt
    near: NDArray[np.bool_] = away(inside) + away(~inside) <= BORDER
    return near


def found_in(model: Model, image: Image) -> Predicted:
    events = predict(model, image, config=PREDICT)
    return next(event for event in events if isinstance(event, Predicted))


def score(model: Model, pairs: Iterable[Pair]) -> Row:
    """Find the objects of each image, and compare."""
    scores: list[ObjectScores] = []
    pixels, border = np.zeros((2, 2), np.int64), np.zeros((2, 2), np.int64)
    seconds, size = 0.0, 0
    for number, (image, truth) in enumerate(pairs):
        if not number:
            found_in(model, image)  # Once to warm up.
        found = found_in(model, image)
        instances = found.labels.instances
        assert instances is not None
        there = (truth > 0).astype(np.int64)
        said = (found.labels.semantic > 0).astype(np.int64)
        near = near_border(truth)
        pixels += confusion(there, said, 2)
        border += confusion(np.where(near, there, -1), said, 2)
        scores.append(score_objects(truth, instances))
        seconds += found.seconds
        size += truth.size
    total = reduce(add, scores)
    return {
        "iou": float(iou(pixels)[1]),
        "ap50_pooled": total.ap["0.50"],
        "ap50_mean": float(np.mean([s.ap["0.50"] for s in scores])),
        "border_dice": float(dice(border)[1]),
        "border_error": float(1 - np.trace(border) / border.sum()),
        "mp_per_second": size / seconds / 1e6,
        "predict_seconds": seconds,
        "images": len(scores),
    }


def spec_of(name: str, architecture: Architecture, channels: int) -> ModelSpec:
    return ModelSpec(
        name=name, architecture=architecture, channels=channels, classes=CLASSES
    )


def compare(args: argparse.Namespace, name: str, minutes: float, begin: Model) -> Row:
    """Train a net on nuclei, and score it; the row holds the model too."""
    images, masks, split = (
        args.data / "nuclei" / part for part in ("images", "masks", "index.csv")
    )
    folder = open_training_folder(images, masks, None, split)
    data = folder.training_set(begin.spec, channels=(), objects=True, seed=args.seed)
    config = TrainConfig(minutes=minutes, validate_every=100, seed=args.seed)
    print(f"{name}: {begin.spec.architecture} ...", flush=True)
    model, figures = learn(begin, data, config)
    tests = (pair(args.data, row["id"]) for row in rows(args.data, "test"))
    return {**score(model, tests), **figures, "threads": args.threads, "model": model}


def nuclei(args: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Yield the row of each net."""
    for name in [name for name in NETS if name in args.only.split(",")]:
        if hint := missing_extra(NETS[name].name):
            yield name, {"note": f"left out; it needs: {hint}"}
            continue
        begin = build(spec_of(name, NETS[name], 3), seed=args.seed)
        yield name, compare(args, name, args.minutes, begin)
    if not args.staged:
        return
    begin = build(spec_of(FCNS[0], NETS[FCNS[0]], 3), seed=args.seed)
    for name in FCNS:
        if name != FCNS[0]:
            begin = adapt(
                begin, classes=CLASSES, channels=3, name=name, architecture=NETS[name]
            )
        row = compare(args, f"{name} staged", args.minutes / len(FCNS), begin)
        begin = row["model"]
        yield f"{name} staged", row


def discs_and_squares(seed: int) -> Pair:
    """Return bright discs and turned squares under noise, and which is which."""
    random = np.random.default_rng(seed)
    labels = np.zeros((SHAPE_SIDE, SHAPE_SIDE), np.uint32)
    light = np.full(labels.shape, 0.2)
    grid = np.indices(labels.shape)
    for number in range(1, SHAPES + 1):
        radius, turn = random.uniform(6, 20), random.uniform(0, np.pi / 2)
        y, x = grid - random.uniform(0, SHAPE_SIDE, (2, 1, 1))
        along = np.abs(y * np.cos(turn) + x * np.sin(turn))
        across = np.abs(x * np.cos(turn) - y * np.sin(turn))
        away = np.hypot(y, x) if number % 2 else np.maximum(along, across)
        if (labels[away <= radius + 3] > 0).any():
            continue
        labels[away <= radius] = number
        light[away <= radius] = random.uniform(0.6, 1)
    light = ndimage.gaussian_filter(light, 0.7) + random.normal(0, 0.08, light.shape)
    return image_from_array(light.astype(np.float32), "YX"), labels


def shapes(args: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Yield the row of each FCN on discs and squares."""
    tests = [discs_and_squares(args.seed + 1000 + i) for i in range(TEST_SHAPES)]
    for stride in (32, 16, 8):
        name = f"fcn-{stride}s"
        architecture = FCNArchitecture(
            stride=stride, width=16, max_width=64, hidden=128, boundary=False
        )
        spec = spec_of(name, architecture, 1)
        data = TrainingSet(spec, args.seed)
        for i in range(TRAIN_SHAPES):
            image, labels = discs_and_squares(args.seed + i)
            annotation = Annotation.of(image)
            annotation.write_objects(image.whole(), labels)
            annotation.verify(image.whole())
            intensity = measure_intensity(image, (0,))
            data.add(TrainingImage(str(i), image, (0,), intensity, annotation))
        config = TrainConfig(steps=args.steps, validate_every=100, seed=args.seed)
        print(f"{name}: {architecture} ...", flush=True)
        model, figures = learn(build(spec, seed=args.seed), data, config)
        yield name, {**score(model, tests), **figures, "threads": args.threads}


def table(results: dict[str, Row]) -> str:
    lines = [
        f"{'':15}{'IoU':>6} {'pooled':>7} {'mean':>6} {'Dice':>6} {'wrong':>6} "
        f"{'weights':>8} {'steps':>6} {'wall':>6} {'CPU':>6} {'MP/s':>6}"
    ]
    for name, r in results.items():
        if "note" in r:
            lines.append(f"{name:15} {r['note']}")
            continue
        lines.append(
            f"{name:15}{r['iou']:6.3f} {r['ap50_pooled']:7.3f} {r['ap50_mean']:6.3f} "
            f"{r['border_dice']:6.3f} {r['border_error']:6.3f} "
            f"{r['parameters'] / 1e6:8.2f} {r['steps']:6d} {r['train_seconds']:6.0f} "
            f"{r['train_cpu_seconds']:6.0f} {r['mp_per_second']:6.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(NETS), help="nets, by commas")
    parser.add_argument("--staged", action="store_true", help="FCNs in stages too")
    parser.add_argument("--shapes", action="store_true", help="discs and squares")
    parser.add_argument("--steps", type=int, default=300, help="of each for --shapes")
    parser.add_argument("--json", action="store_true", help=f"keep in {OUT.name}")
    args = parser.parse_args()
    if unknown := set(filter(None, args.only.split(","))) - set(NETS):
        parser.error(f"--only: {', '.join(unknown)}; there are {', '.join(NETS)}")
    torch.set_num_threads(args.threads)
    part = "shapes" if args.shapes else "nuclei"
    results: dict[str, Row] = {}
    for name, row in shapes(args) if args.shapes else nuclei(args):
        results[name] = {key: value for key, value in row.items() if key != "model"}
        print(table({name: results[name]}), flush=True)
        if args.json:
            document = json.loads(OUT.read_text()) if OUT.exists() else {}
            document["machine"] = machine() | {"torch": torch.__version__}
            document.setdefault(part, {})[name] = results[name]
            OUT.write_text(json.dumps(document, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
