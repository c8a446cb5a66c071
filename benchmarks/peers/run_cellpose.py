"""Cellpose 3: trained from scratch with the settings of its command line.

Images keep their size, in training and after: nuclei differ by more than one factor
for all of them could mend.  Its schedule, a warm-up of ten epochs of 500 and a fall in
the last hundred, is that of wall time here; an "epoch" is one batch, so that the clock
is asked after each.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cellpose import train
from cellpose.dynamics import resize_and_compute_masks
from cellpose.models import CellposeModel
from task import Clock, Task, mark

RATE = 0.2
BATCH = 8
# The last fifth of the time has ten halvings of the rate.
FALL, HALVINGS = 0.2, 10
GREY = [0, 0]
CELLPROBS = (-2.0, -1.0, 0.0, 1.0, 2.0)
FLOWS = (0.4, 0.2, 0.8, 0.0)


class Ended(Exception):
    """The time is over."""


class TimedSGD(torch.optim.SGD):
    """Its optimiser: the rate falls with the clock, and training ends with it."""

    clock: Clock
    steps = 0

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step with the rate that the clock says."""
        late = max(0.0, TimedSGD.clock.done - (1 - FALL)) / FALL
        for group in self.param_groups:
            # The training loop has set the rate anew before each step.
            group["lr"] *= 0.5 ** int(HALVINGS * late)
        out = super().step(closure)
        TimedSGD.steps += 1
        if TimedSGD.clock.left <= 0:
            raise Ended
        return out


def trained(task: Task) -> tuple[Path, float]:
    """Return the file of the model, and the minutes it took."""
    clock = TimedSGD.clock = Clock(task.minutes)
    # The faster kernels are for inference alone.
    model = CellposeModel(gpu=False, pretrained_model=False, mkldnn=False)
    torch.optim.SGD = TimedSGD  # type: ignore[misc]
    try:
        train.train_seg(
            model.net,
            train_data=task.images("train"),
            train_labels=task.labels("train"),
            channels=GREY,
            SGD=True,
            learning_rate=RATE,
            weight_decay=1e-5,
            batch_size=BATCH,
            nimg_per_epoch=BATCH,
            n_epochs=100_000,
            save_every=100_000,
            save_path=task.folder,
            rescale=False,
        )
    except Ended:
        pass
    minutes = clock.minutes
    path = task.folder / "cellpose"
    model.net.save_model(path)
    return path, minutes


def tuned(model: CellposeModel, task: Task) -> dict[str, float]:
    """Choose the thresholds on `val`: of the probability first, then of the flows."""
    truths = task.labels("val")
    flows = []
    for image in task.images("val"):
        out = model.eval(
            image, channels=GREY, diameter=model.diam_mean, compute_masks=False
        )[1]
        flows.append((np.squeeze(out[1]), np.squeeze(out[2])))

    @cache
    def judged(cellprob: float, flow: float) -> float:
        found = (
            resize_and_compute_masks(
                dp,
                probability,
                cellprob_threshold=cellprob,
                flow_threshold=flow,
                device=model.device,
            )
            for dp, probability in flows
        )
        return mark(zip(truths, found, strict=True))

    cellprob = max(CELLPROBS, key=lambda value: judged(value, FLOWS[0]))
    flow = max(FLOWS, key=lambda value: judged(cellprob, value))
    return {"cellprob_threshold": cellprob, "flow_threshold": flow}


def main() -> None:
    task = Task()
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    path, minutes = trained(task)
    model = CellposeModel(gpu=False, pretrained_model=str(path))
    chosen = tuned(model, task)

    def find(image: np.ndarray) -> np.ndarray:
        return model.eval(image, channels=GREY, diameter=model.diam_mean, **chosen)[0]

    task.finish(find, minutes=minutes, steps=TimedSGD.steps, tuned=chosen)


if __name__ == "__main__":
    main()
