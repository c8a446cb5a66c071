"""Choose the thresholds of the base model `nuclei`, ship it, and score it.

    python benchmarks/base_model.py choose --data DIR --model FOLDER
    python benchmarks/base_model.py ship --model FOLDER --likely 0.6 --out FOLDER
    python benchmarks/base_model.py score --data DIR --model FOLDER --split test

DIR holds ``nuclei/index.csv``, ``nuclei/images`` and ``nuclei/masks`` (BBBC038). The
model is trained by ``napari-unet train --recipe resources/recipes/nuclei.toml``.
"""

import argparse
import copy
import csv
import json
import os
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import torch

from napari_unet.cli.evaluation import Evaluation, Scored, summary
from napari_unet.images import (
    choose_channels,
    measure_intensity,
    open_image,
    read_labels,
)
from napari_unet.inference import PredictConfig
from napari_unet.inference.prepare import prepare
from napari_unet.inference.tiles import Source
from napari_unet.instances import VALLEY, label_hills
from napari_unet.metrics import ObjectScores, score_objects
from napari_unet.models import Model, load_model, save_model
from napari_unet.nets.choice import choose_device


def rows(data: Path, split: str) -> list[dict[str, str]]:
    with (data / "nuclei" / "index.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def pair_paths(data: Path, identifier: str) -> tuple[Path, Path]:
    folder = data / "nuclei"
    image = folder / "images" / f"{identifier}.png"
    return image, folder / "masks" / f"{identifier}.tif"


def pair(data: Path, identifier: str):
    image, mask = pair_paths(data, identifier)
    return open_image(image), read_labels(mask)


def score(args: argparse.Namespace) -> None:
    """Print scores for each kind of image, as `napari-unet evaluate` counts them."""
    torch.set_num_threads(args.threads)
    evaluation = Evaluation(load_model(args.model), PredictConfig(), semantic=False)
    by_kind: dict[str, list[Scored]] = {}
    for row in rows(args.data, args.split):
        paths = pair_paths(args.data, row["id"])
        scored, _ = evaluation.score(row["id"], *paths)
        by_kind.setdefault(row["kind"], []).append(scored)
    print(json.dumps({k: short(summary(v)) for k, v in by_kind.items()}, indent=1))


def short(figures: dict) -> dict:
    rows = {"images": figures["images"], "dice": round(figures["dice"]["objects"], 3)}
    for key in ("ap_pooled", "ap_mean"):
        rows[key] = {t: round(figures[key][t], 3) for t in ("0.50", "0.75", "0.90")}
    return rows


def choose(args: argparse.Namespace) -> None:
    """Try how likely a class and how deep a valley must be, on `val`.

    Shifting the bias of the background is the same as asking for another probability.
    """
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    device, _ = choose_device("cpu")
    for likely in (0.5, 0.6, 0.7):
        prepared = prepare(shifted(model, likely).net, device)
        results: dict[tuple[str, float], list[ObjectScores]] = {}
        for row in rows(args.data, "val"):
            image, truth = pair(args.data, row["id"])
            channels = choose_channels(image, model.spec.channels)
            source = Source(image, channels, measure_intensity(image, channels))
            h, w = image.plane_shape
            pixels = source.read(image.whole(), prepared.margin, prepared.multiple)
            classes, height = (m[0, :h, :w] for m in prepared.maps([pixels]))
            for valley in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
                found = label_hills(
                    classes,
                    height,
                    valley=valley,
                    min_size=PredictConfig.min_size,
                    fill_holes=True,
                )
                key = row["kind"], valley
                results.setdefault(key, []).append(score_objects(truth, found))
        for (kind, valley), scores in sorted(results.items()):
            ap = reduce(add, scores).ap
            mean = np.mean([s.ap["0.50"] for s in scores])
            print(
                f"likely {likely} valley {valley} {kind}: pooled "
                + " ".join(f"{ap[t]:.3f}" for t in ("0.50", "0.75", "0.90"))
                + f", mean at 0.5 {mean:.3f}",
                flush=True,
            )


def shifted(model: Model, likely: float) -> Model:
    """Return a model that calls a pixel a nucleus where it is at least so likely."""
    net = copy.deepcopy(model.net)
    with torch.no_grad():
        net.classify.bias[0] += float(np.log(likely / (1 - likely)))
    return Model(model.spec, net)


def ship(args: argparse.Namespace) -> None:
    """Save a checkpoint with half the bytes, as it ships, with what `choose` says."""
    model = load_model(args.model)
    spec = model.spec.model_copy(update={"valley": args.valley})
    save_model(Model(spec, shifted(model, args.likely).net), args.out, half=True)


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["choose", "score", "ship"])
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--valley", type=float, default=VALLEY)
    parser.add_argument("--likely", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    jobs = {"choose": choose, "score": score, "ship": ship}
    jobs[args.job](args)


if __name__ == "__main__":
    main()
