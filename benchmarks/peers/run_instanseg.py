"""InstanSeg: its net, its loss and its decoding in a plain loop that ends by the clock.

Sizes, batch, optimiser and rate are those of its training script, which knows no time
and needs a data loader in processes of their own.  As there, training begins with the
losses that are quicker to learn; they stay, because minutes on a CPU are no ten epochs
(after a fifth of 12 minutes, the other losses learnt nothing).  The rate falls as half
a cosine, which is an option there.  The last weights count.
"""

import math
from typing import Any

import numpy as np
import torch
from instanseg.utils.loss.instanseg_loss import InstanSeg
from instanseg.utils.model_loader import build_model_from_dict
from instanseg.utils.tiling import _instanseg_padding, _recover_padding
from instanseg.utils.utils import percentile_normalize
from task import Clock, Task, mark
from torch import Tensor

BATCH, SIDE, WINDOW = 3, 256, 128
RATE, LOWEST_RATE, CLIP = 1e-3, 1e-5, 20.0
NET = {
    "model_str": "InstanSeg_UNet",
    "dim_in": 1,
    "n_sigma": 2,
    "dim_coords": 2,
    "dim_seeds": 1,
    "layers": [32, 64, 128, 256],
    "norm": "BATCH",
    "cells_and_nuclei": False,
    "multihead": False,
}
# One after the other, the others as they are best by then.
GRID: dict[str, tuple[float, ...]] = {
    "seed_threshold": (0.5, 0.6, 0.7, 0.8),
    "peak_distance": (4, 6, 8),
    "mask_threshold": (0.53, 0.47, 0.6),
    "overlap_threshold": (0.5, 0.3),
}


def prepared(image: np.ndarray) -> Tensor:
    """Return (1, Y, X)."""
    return percentile_normalize(torch.from_numpy(image.astype(np.float32))[None])


def crop(image: Tensor, labels: Tensor, random: np.random.Generator) -> Tensor:
    """Return the same random crop of both (2, SIDE, SIDE), turned and mirrored."""
    both = torch.cat([image, labels.float()])
    y, x = (int(random.integers(max(n - SIDE, 0) + 1)) for n in both.shape[1:])
    both = both[:, y : y + SIDE, x : x + SIDE]
    both = torch.rot90(both, int(random.integers(4)), (1, 2))
    return both.flip(2) if random.random() < 0.5 else both


def trained(task: Task) -> tuple[torch.nn.Module, InstanSeg, float, int]:
    """Return the net, its method, the minutes it took and the steps."""
    clock = Clock(task.minutes)
    random = np.random.default_rng(task.seed)
    pairs = zip(task.images("train"), task.labels("train"), strict=True)
    data = [(prepared(i), torch.from_numpy(m)[None]) for i, m in pairs]
    method = InstanSeg(
        n_sigma=2,
        device="cpu",
        binary_loss_fn_str="dice_loss",
        seed_loss_fn="binary_xloss",
        window_size=WINDOW,
    )
    model = build_model_from_dict(dict(NET), random_seed=task.seed)
    model = method.initialize_pixel_classifier(model, MLP_width=5)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    steps = 0
    model.train()
    while clock.left > 0:
        fall = (1 + math.cos(math.pi * min(clock.done, 1.0))) / 2
        for group in optimiser.param_groups:
            group["lr"] = LOWEST_RATE + (RATE - LOWEST_RATE) * fall
        chosen = random.integers(len(data), size=BATCH)
        batch = torch.stack([crop(*data[i], random) for i in chosen])
        loss = method(model(batch[:, :1]), batch[:, 1:].int()).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        steps += 1
        print(steps, f"{clock.minutes:.2f} min, loss {float(loss.detach()):.3f}")
    minutes = clock.minutes
    return model.eval(), method, minutes, steps


@torch.inference_mode()
def output(model: torch.nn.Module, image: np.ndarray) -> Tensor:
    pixels, pad = _instanseg_padding(prepared(image), min_dim=32)
    return _recover_padding(model(pixels[None]), pad)[0]


@torch.inference_mode()
def decoded(method: InstanSeg, out: Tensor, settings: dict[str, Any]) -> np.ndarray:
    return method.postprocessing(out, window_size=WINDOW, **settings)[0].numpy()


def tuned(model: torch.nn.Module, method: InstanSeg, task: Task) -> dict[str, float]:
    truths = task.labels("val")
    outs = [output(model, image) for image in task.images("val")]
    best = {name: values[0] for name, values in GRID.items()}
    for name, values in GRID.items():
        marks = {}
        for value in values:
            found = [decoded(method, out, {**best, name: value}) for out in outs]
            marks[value] = mark(zip(truths, found, strict=True))
        best[name] = max(values, key=lambda value: marks[value])
    return best


def main() -> None:
    task = Task()
    torch.set_num_threads(task.threads)
    model, method, minutes, steps = trained(task)
    chosen = tuned(model, method, task)

    def find(image: np.ndarray) -> np.ndarray:
        return decoded(method, output(model, image), chosen)

    task.finish(find, minutes=minutes, steps=steps, tuned=chosen)


if __name__ == "__main__":
    main()
