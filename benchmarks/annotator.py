"""Play a user who paints and trains, and compare with a random forest.

    python benchmarks/annotator.py --data DIR --json

In every round a few strokes are painted where the prediction is most wrong, with a
thin brush, some of them a little off; then the net trains for some seconds. The same
strokes go to scikit-image's TrainableSegmenter with multiscale features and a random
forest, which is ilastik's method. Both are scored on other images of the same kind.

DIR holds ``nuclei`` (BBBC038) and ``axons`` (AxonDeepSeg SEM).
"""

import argparse
import csv
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from forest import Forest
from hand import paint
from scipy import ndimage

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.images import (
    Image,
    choose_channels,
    measure_intensity,
    open_image,
    read_labels,
)
from napari_unet.inference import PredictConfig, Predicted, predict
from napari_unet.metrics import confusion, dice, match
from napari_unet.models import (
    Model,
    ModelSpec,
    adapt,
    build,
    load_model,
    save_model,
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


@dataclass(frozen=True)
class Case:
    """What is annotated, from which model, for how long."""

    name: str
    kind: str
    classes: ClassScheme
    base: str
    images: int
    strokes: tuple[int, ...]
    seconds: tuple[float, ...]


NUCLEUS = ClassScheme.named("nucleus")
AXON = ClassScheme.named("myelin", "axon")
CASES = (
    Case(
        "fluorescence, from scratch", "fluo", NUCLEUS, "none", 1, (10, 5, 5), (30,) * 3
    ),
    Case(
        "fluorescence, from nuclei", "fluo", NUCLEUS, "nuclei", 1, (10, 5, 5), (30,) * 3
    ),
    Case("H&E, from fluorescence", "color", NUCLEUS, "fluo", 1, (10, 5, 5), (30,) * 3),
    Case("axons, from scratch", "axons", AXON, "none", 3, (10, 10, 10), (40,) * 3),
    Case("axons, from nuclei", "axons", AXON, "nuclei", 3, (10, 10, 10), (40,) * 3),
)


@dataclass(frozen=True)
class Pair:
    """An image, the class of each pixel and, for nuclei, the objects."""

    image: Image
    truth: np.ndarray
    objects: np.ndarray | None


@dataclass(frozen=True)
class Row:
    """A round of one case."""

    case: str
    round: int
    strokes: int
    labelled: int
    seconds: float
    steps: int
    net_dice: float
    net_ap50: float | None
    forest_dice: float
    forest_ap50: float | None


def nuclei(data: Path, kind: str, split: str, limit: int | None = None) -> list[Pair]:
    with (data / "nuclei" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = [r["id"] for r in rows if r["split"] == split and r["kind"] == kind]
    pairs = []
    for identifier in chosen[:limit]:
        image = open_image(data / "nuclei" / "images" / f"{identifier}.png")
        objects = read_labels(data / "nuclei" / "masks" / f"{identifier}.tif")
        pairs.append(Pair(image, (objects > 0).astype(np.uint8), objects))
    return pairs


def axons(data: Path) -> list[Pair]:
    paths = sorted((data / "axons" / "images").iterdir())
    masks = sorted((data / "axons" / "masks").iterdir())
    return [
        Pair(open_image(i), read_labels(m).astype(np.uint8), None)
        for i, m in zip(paths, masks, strict=True)
    ]


def material(case: Case, data: Path, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return what is annotated and the other images that are scored."""
    random = np.random.default_rng(seed)
    if case.kind == "axons":
        pairs = [axons(data)[i] for i in random.permutation(7)]
        return pairs[: case.images], pairs[case.images :]
    pool = nuclei(data, case.kind, "train")
    crowded = [p for p in pool if p.truth.mean() > 0.05]
    drawn = random.choice(len(crowded), case.images, replace=False)
    return [crowded[i] for i in drawn], nuclei(data, case.kind, "test")


def start(case: Case, data: Path, cache: Path, seed: int, channels: int) -> Model:
    if case.base == "none":
        spec = ModelSpec(name="bench", classes=case.classes, channels=channels)
        return build(spec, seed=seed)
    base = fluorescence_only(data, cache) if case.base == "fluo" else case.base
    model = load_model(base)
    return adapt(
        model, classes=case.classes, channels=model.spec.channels, name="bench"
    )


def fluorescence_only(data: Path, cache: Path, minutes: float = 12) -> Path:
    """Train a small base on fluorescence alone, once, so that H&E is new to it."""
    folder = cache / "fluorescence"
    if folder.exists():
        return folder
    spec = ModelSpec(name="fluorescence", classes=NUCLEUS, channels=3)
    images = TrainingSet(spec)
    for i, pair in enumerate(nuclei(data, "fluo", "train", 120)):
        image = training_image(str(i), pair, 3)
        whole = pair.image.whole()
        image.annotation.write_objects(whole, pair.objects)
        image.annotation.verify(whole)
        images.add(image)
    config = TrainConfig(
        minutes=minutes,
        any_stain=True,
        averaging=0.99,
        validate_every=50,
    )
    learner = Learner(build(spec), choose_device()[0], config)
    with tempfile.TemporaryDirectory() as scratch:
        for _ in train(learner, images, Checkpoints(scratch)):
            pass
    save_model(learner.model(), folder)
    return folder


def training_image(key: str, pair: Pair, channels: int) -> TrainingImage:
    chosen = choose_channels(pair.image, channels)
    intensity = measure_intensity(pair.image, chosen)
    annotation = Annotation.of(pair.image)
    return TrainingImage(key, pair.image, chosen, intensity, annotation)


def score_net(model: Model, pairs: list[Pair]) -> tuple[float, float | None]:
    found = []
    for pair in pairs:
        *_, done = predict(model, pair.image, config=PredictConfig())
        assert isinstance(done, Predicted)
        found.append((done.labels.semantic, done.labels.instances))
    return score(found, pairs)


def score(
    found: list[tuple[np.ndarray, np.ndarray]], pairs: list[Pair]
) -> tuple[float, float | None]:
    """Return the mean Dice of the user's classes and AP at IoU 0.5, over images.

    Of each image, its classes and its objects were found.
    """
    n = max(int(p.truth.max()) for p in pairs) + 1
    scores = [
        np.nanmean(dice(confusion(p.truth.astype(int), f.astype(int), n))[1:])
        for (f, _), p in zip(found, pairs, strict=True)
    ]
    if pairs[0].objects is None:
        return float(np.mean(scores)), None
    precision = [
        match(p.objects, f).average_precision
        for (_, f), p in zip(found, pairs, strict=True)
    ]
    return float(np.mean(scores)), float(np.mean(precision))


def play(case: Case, data: Path, cache: Path, seed: int) -> list[Row]:
    random = np.random.default_rng(seed)
    pairs, others = material(case, data, seed)
    channels = 3 if case.kind != "axons" else 1
    model = start(case, data, cache, seed, channels)
    channels = model.spec.channels
    images = [training_image(str(i), p, channels) for i, p in enumerate(pairs)]
    truths = [p.truth for p in pairs]
    # Some mistakes a user never corrects.
    ignored = [
        ndimage.zoom(random.random((8, 8)), np.array(t.shape) / 8, order=0) < 0.1
        for t in truths
    ]
    forest = Forest(images, [p.image for p in others])
    config = TrainConfig(seed=seed)
    learner = Learner(model, choose_device()[0], config)
    data_set = TrainingSet(model.spec, seed)
    for image in images:
        data_set.add(image)
    rows, strokes, seconds = [], 0, 0.0
    with tempfile.TemporaryDirectory() as scratch:
        checkpoints = Checkpoints(scratch)
        for number, (more, budget) in enumerate(
            zip(case.strokes, case.seconds, strict=True), start=1
        ):
            for i, image in enumerate(images):
                share = more // len(images) + (i < more % len(images))
                # Whoever begins with random weights has nothing to correct yet.
                predicted = (
                    None
                    if number == 1 and case.base == "none"
                    else semantic(learner.model(), image.image)
                )
                version = image.annotation.version
                paint(image.annotation, truths[i], predicted, share, ignored[i], random)
                data_set.refresh(image.key, image.annotation.changed_since(version))
            strokes += more
            end = time.monotonic() + budget
            for _ in train(
                learner, data_set, checkpoints, lambda end=end: time.monotonic() > end
            ):
                pass
            seconds += budget
            labelled = sum(
                int((i.annotation.scribbles.dense() > 0).sum()) for i in images
            )
            net, net_ap = score_net(learner.model(), others)
            rf, rf_ap = score(forest.found(images, seed), others)
            row = Row(
                case.name,
                number,
                strokes,
                labelled,
                seconds,
                learner.steps,
                net,
                net_ap,
                rf,
                rf_ap,
            )
            rows.append(row)
            show(row)
    return rows


def semantic(model: Model, image: Image) -> np.ndarray:
    *_, done = predict(model, image, config=PredictConfig(instances="none"))
    return done.labels.semantic


def show(row: Row) -> None:
    def number(value: float | None) -> str:
        return "    -" if value is None else f"{value:.3f}"

    print(
        f"{row.case:28} {row.round:3} {row.strokes:7} {row.labelled:8} "
        f"{row.seconds:5.0f}s {row.steps:6} {number(row.net_dice):>8} "
        f"{number(row.net_ap50):>6} {number(row.forest_dice):>11} "
        f"{number(row.forest_ap50):>6}",
        flush=True,
    )


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    results = Path(__file__).parent / "results" / "annotator.json"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / "cache")
    parser.add_argument("--case", default="", help="only cases with this in the name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help=f"keep in {results.name}")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(
        "case                       round strokes labelled  time  steps "
        "net Dice   AP50 forest Dice   AP50"
    )
    rows = [
        row
        for case in CASES
        if args.case in case.name
        for row in play(case, args.data, args.cache, args.seed)
    ]
    if args.json:
        results.parent.mkdir(exist_ok=True)
        known = json.loads(results.read_text()) if results.exists() else []
        new = {row.case for row in rows}
        kept = [row for row in known if row["case"] not in new]
        kept += [asdict(row) for row in rows]
        names = [case.name for case in CASES]
        kept.sort(key=lambda row: names.index(row["case"]))
        results.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
