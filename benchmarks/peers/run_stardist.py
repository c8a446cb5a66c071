"""StarDist 2-D: trained from scratch as in its example of nuclei.

The net, the rays, the grid and the augmentation are those of its example notebook;
what remains are the defaults.  The weights with the best loss on `val` count.
"""

import time

import numpy as np
import tensorflow as tf
from csbdeep.utils import normalize
from keras.callbacks import Callback
from stardist import fill_label_holes
from stardist.models import Config2D, StarDist2D
from task import THRESHOLDS, Clock, Task

STEPS_PER_EPOCH = 50


class Stop(Callback):
    """Ends training so early that the last look at `val` is in time too."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.steps = 0
        self.look = 0.0
        self._began = 0.0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Count the step."""
        self.steps += 1
        if self.clock.left <= self.look:
            self.model.stop_training = True

    def on_test_begin(self, logs: object = None) -> None:
        """Begin to time the look at `val`."""
        self._began = time.monotonic()

    def on_test_end(self, logs: object = None) -> None:
        """Remember how long it took."""
        self.look = time.monotonic() - self._began


def augment(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turns = np.random.randint(4)
    x, y = np.rot90(x, turns), np.rot90(y, turns)
    for axis in (0, 1):
        if np.random.rand() < 0.5:
            x, y = np.flip(x, axis), np.flip(y, axis)
    x = x * np.random.uniform(0.6, 2) + np.random.uniform(-0.2, 0.2)
    noise = 0.02 * np.random.uniform(0, 1)
    return x + noise * np.random.normal(0, 1, x.shape), y


def prepared(image: np.ndarray) -> np.ndarray:
    return normalize(image, 1, 99.8)


def find(model: StarDist2D, image: np.ndarray) -> np.ndarray:
    objects: np.ndarray = model.predict_instances(prepared(image))[0]
    return objects


def main() -> None:
    task = Task()
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    np.random.seed(task.seed)
    tf.random.set_seed(task.seed)

    if task.before:
        model = StarDist2D(None, name="stardist", basedir=str(task.folder))
        task.finish(lambda image: find(model, image), **task.before)
        return

    clock = Clock(task.minutes)
    x, y = ([prepared(i) for i in task.images(s)] for s in ("train", "val"))
    masks = [[fill_label_holes(m) for m in task.labels(s)] for s in ("train", "val")]
    config = Config2D(n_rays=32, grid=(2, 2), train_tensorboard=False)
    model = StarDist2D(config, name="stardist", basedir=str(task.folder))
    model.prepare_for_training()
    stop = Stop(clock)
    model.callbacks.append(stop)
    history = model.train(
        x,
        masks[0],
        validation_data=(y, masks[1]),
        augmenter=augment,
        seed=task.seed,
        epochs=10_000,
        steps_per_epoch=STEPS_PER_EPOCH,
    )
    minutes = clock.minutes

    tuned = model.optimize_thresholds(
        y,
        task.labels("val"),
        iou_threshs=THRESHOLDS,
        optimize_kwargs={"verbose": 0},
    )
    task.finish(
        lambda image: find(model, image),
        minutes=minutes,
        steps=stop.steps,
        epochs=len(history.history["loss"]),
        tuned=tuned,
    )


if __name__ == "__main__":
    main()
