"""Train the base model `nuclei`, and score it on images it has never seen.

    python benchmarks/base_model.py train --data DIR --out FOLDER --minutes 60
    python benchmarks/base_model.py choose --data DIR --model FOLDER
    python benchmarks/base_model.py ship --model FOLDER --likely 0.6 --out FOLDER
    python benchmarks/base_model.py score --data DIR --model FOLDER --split test

DIR holds ``nuclei/index.csv``, ``nuclei/images`` and ``nuclei/masks`` (BBBC038).
"""

import argparse
import copy
import csv
import json
import os
import sys
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import torch

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
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
from napari_unet.models import (
    Model,
    ModelSpec,
    adapt,
    build,
    load_model,
    save_model,
)
from napari_unet.nets.device import choose_device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    train,
)
from napari_unet.training.events import Checkpointed, Stepped, Validated

CLASSES = ClassScheme.named("nucleus")


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


def training_set(data: Path, spec: ModelSpec, seed: int) -> TrainingSet:
    """Put all images, every object verified, into one set; `val` is held out."""
    images = TrainingSet(spec, seed)
    every = [(row, TRAINING) for row in rows(data, "train")]
    every += [(row, HELD_OUT) for row in rows(data, "val")]
    for row, part in every:
        image, labels = pair(data, row["id"])
        annotation = Annotation(labels.shape)
        whole = image.whole()
        annotation.write_objects(whole, labels.astype(np.uint32))
        annotation.verify(whole)
        annotation.assign(whole, np.full(labels.shape, part, np.uint8))
        annotation.take_undecided()
        chosen = choose_channels(image, spec.channels)
        intensity = measure_intensity(image, chosen)
        images.add(TrainingImage(row["id"], image, chosen, intensity, annotation))
    return images


def base_spec(args: argparse.Namespace) -> ModelSpec:
    return ModelSpec(
        name="nuclei",
        description="Nuclei in fluorescence, H&E and bright field.",
        channels=3,
        classes=CLASSES,
        provenance={
            "data": "BBBC038 (2018 Data Science Bowl), train split, 478 images",
            "licence": "CC0 1.0",
            "cite": "Caicedo et al., Nature Methods 2019",
            "recipe": "benchmarks/base_model.py train, chosen by val",
            "seed": str(args.seed),
        },
    )


def train_base(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    spec = base_spec(args)
    config = TrainConfig(
        minutes=args.minutes,
        batch=args.batch,
        crop=args.crop,
        learning_rate=args.rate,
        any_stain=True,
        averaging=0.998,
        validate_every=100,
        checkpoint_minutes=5,
        seed=args.seed,
    )
    device, notes = choose_device("auto")
    print(device.label, *notes, sep="\n")
    data = training_set(args.data, spec, args.seed)
    checkpoints = Checkpoints(args.out)
    if args.resume:
        model = checkpoints.load(checkpoints.last)
    elif args.base:
        base = load_model(args.base)
        model = adapt(base, classes=CLASSES, channels=3, name=spec.name)
    else:
        model = build(spec)
    learner = Learner(model, device, config)
    for event in train(learner, data, checkpoints):
        if isinstance(event, Stepped) and event.step % 50 == 0:
            print(f"{event.step} loss {event.loss:.3f} {event.steps_per_second:.2f}/s")
        elif isinstance(event, (Validated, Checkpointed)):
            print(event)
        sys.stdout.flush()


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
            for valley in (0.05, 0.1, 0.15, 0.2, 0.3):
                found = label_hills(
                    classes, height, valley=valley, min_size=15, fill_holes=True
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
    parser.add_argument("job", choices=["train", "choose", "score", "ship"])
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--valley", type=float, default=VALLEY)
    parser.add_argument("--likely", type=float, default=0.5)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--base", help="a model to begin with")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    jobs = {"train": train_base, "choose": choose, "score": score, "ship": ship}
    jobs[args.job](args)


if __name__ == "__main__":
    main()
