"""Train the base model `nuclei`, and score it on images it has never seen.

    python benchmarks/base_model.py train --data DIR --out FOLDER --minutes 60
    python benchmarks/base_model.py score --data DIR --model FOLDER --split test

DIR holds ``nuclei/index.csv``, ``nuclei/images`` and ``nuclei/masks`` (BBBC038).
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.images import (
    choose_channels,
    measure_intensity,
    open_image,
    read_labels,
)
from napari_unet.inference import PredictConfig, predict
from napari_unet.inference.events import Predicted
from napari_unet.metrics import confusion, dice, match
from napari_unet.models import Model, ModelSpec, build, load_model, save_model
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


def pair(data: Path, identifier: str):
    image = open_image(data / "nuclei" / "images" / f"{identifier}.png")
    return image, read_labels(data / "nuclei" / "masks" / f"{identifier}.tif")


def training_set(data: Path, channels: int, seed: int) -> TrainingSet:
    """Put all images, every object verified, into one set; `val` is held out."""
    images = TrainingSet(channels=channels, n_classes=len(CLASSES), seed=seed)
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
        chosen = choose_channels(image, channels)
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
        averaging=0.998,
        validate_every=100,
        checkpoint_minutes=5,
        seed=args.seed,
    )
    device, notes = choose_device("auto")
    print(device.label, *notes, sep="\n")
    data = training_set(args.data, spec.channels, args.seed)
    checkpoints = Checkpoints(args.out)
    model = checkpoints.load(checkpoints.last) if args.resume else build(spec)
    learner = Learner(model, device, config)
    for event in train(learner, data, checkpoints):
        if isinstance(event, Stepped) and event.step % 50 == 0:
            print(f"{event.step} loss {event.loss:.3f} {event.steps_per_second:.2f}/s")
        elif isinstance(event, (Validated, Checkpointed)):
            print(event)
        sys.stdout.flush()


def score(args: argparse.Namespace) -> None:
    """Print Dice and AP at IoU 0.5 for each kind of image."""
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    config = PredictConfig()
    by_kind: dict[str, list[dict[str, float]]] = {}
    for row in rows(args.data, args.split):
        image, labels = pair(args.data, row["id"])
        *_, done = predict(model, image, config=config)
        assert isinstance(done, Predicted)
        counts = confusion((labels > 0).astype(int), done.labels.semantic, 2)
        matches = match(labels, done.labels.instances)
        by_kind.setdefault(row["kind"], []).append(
            {"dice": dice(counts)[1], "ap50": matches.average_precision}
        )
    result = {
        kind: {
            "images": len(scores),
            **{k: float(np.nanmean([s[k] for s in scores])) for k in ("dice", "ap50")},
        }
        for kind, scores in by_kind.items()
    }
    print(json.dumps(result, indent=2))


def ship(args: argparse.Namespace) -> None:
    """Save a checkpoint with half the bytes, as it ships."""
    model = Model(base_spec(args), load_model(args.model).net)
    save_model(model, args.out, half=True)


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["train", "score", "ship"])
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    {"train": train_base, "score": score, "ship": ship}[args.job](args)


if __name__ == "__main__":
    main()
