"""The project itself: trained by a recipe from scratch, or from a base model.

A base model is fine-tuned at the rate that the project takes for that.  The weights
with the best Dice on `val` count.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from base_model import shifted
from task import Clock, Task, mark

from napari_unet.cli.checkpoints import save_best
from napari_unet.cli.recipe import read_recipe
from napari_unet.cli.training_folder import open_training_folder
from napari_unet.images import image_from_array, measure_intensity
from napari_unet.inference import PredictConfig, Predicted, predict
from napari_unet.inference.prepare import PreparedNet, prepare
from napari_unet.inference.tiles import Source
from napari_unet.instances import label_hills
from napari_unet.models import Model, load_model
from napari_unet.nets.allocator import kept_memory
from napari_unet.nets.choice import choose_device
from napari_unet.training import Checkpoints, Learner, train

RECIPE = Path(__file__).with_name("fluorescence.toml")
LIKELY = (0.4, 0.5, 0.6, 0.7)
VALLEYS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
CONFIG = PredictConfig(device="cpu")


def trained(task: Task) -> tuple[Model, float, int]:
    """Return the model, the minutes it took and the steps."""
    clock = Clock(task.minutes)
    recipe = read_recipe(RECIPE)
    config = recipe.config(device="cpu", seed=task.seed)
    if task.base:
        config = replace(config, learning_rate=None)
    model = recipe.model(task.base or "none", task.seed)
    folder = open_training_folder(
        task.folder / "images", task.folder / "labels", None, task.folder / "split.csv"
    )
    data = folder.training_set(model.spec, channels=(), objects=True, seed=task.seed)
    device, _ = choose_device("cpu")
    learner = Learner(model, device, replace(config, minutes=clock.left / 60))
    checkpoints = Checkpoints(task.folder / "checkpoints")
    for _ in train(learner, data, checkpoints):
        pass
    minutes = clock.minutes
    save_best(checkpoints, learner, task.folder / "model")
    return load_model(str(task.folder / "model")), minutes, learner.steps


def tuned(model: Model, task: Task) -> dict[str, float]:
    """Choose on `val` how likely a class and how deep a valley must be."""
    device, _ = choose_device("cpu")
    images, truths = task.images("val"), task.labels("val")
    marks: dict[tuple[float, float], float] = {}
    for likely in LIKELY:
        prepared = prepare(shifted(model, likely).net, device)
        maps = [_maps(prepared, image) for image in images]
        for valley in VALLEYS:
            found = (
                label_hills(
                    *m, valley=valley, min_size=CONFIG.min_size, fill_holes=True
                )
                for m in maps
            )
            marks[likely, valley] = mark(zip(truths, found, strict=True))
    likely, valley = max(product(LIKELY, VALLEYS), key=lambda pair: marks[pair])
    return {"likely": likely, "valley": valley}


def with_thresholds(model: Model, likely: float, valley: float) -> Model:
    spec = model.spec.model_copy(update={"valley": valley})
    return Model(spec, shifted(model, likely).net)


def _maps(prepared: PreparedNet, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    opened = image_from_array(image, "YX")
    source = Source(opened, (0,), measure_intensity(opened, (0,)))
    pixels = source.read(opened.whole(), prepared.margin, prepared.multiple)
    h, w = image.shape
    classes, height = (m[0, :h, :w] for m in prepared.maps([pixels]))
    return classes, height


def main() -> None:
    task = Task()
    torch.set_num_threads(task.threads)
    if task.before:
        model, figures = load_model(str(task.folder / "model")), task.before
    else:
        model, minutes, steps = trained(task)
        figures = {"minutes": minutes, "steps": steps, "tuned": tuned(model, task)}
    model = with_thresholds(model, **figures["tuned"])
    device, _ = choose_device(CONFIG.device)
    prepared = prepare(model.net, device)

    def find(image: np.ndarray) -> np.ndarray:
        opened = image_from_array(image, "YX")
        events = predict(model, opened, config=CONFIG, prepared=prepared)
        return next(e.labels.instances for e in events if isinstance(e, Predicted))

    with kept_memory():
        task.finish(find, **figures)


if __name__ == "__main__":
    main()
