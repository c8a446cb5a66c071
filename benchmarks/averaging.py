"""Compare averaged weights at a constant rate with schedule-free AdamW.

    python benchmarks/averaging.py --data DIR --rule average --rate 1e-3

Nuclei in fluorescence, from random weights, on 60 labelled images; after some steps the
weights that previews would use are scored on other images. Defazio et al. 2024
("The Road Less Scheduled") is what `schedulefree` implements: ``pip install
napari-unet[bench]``.
"""

import argparse
import os
import tempfile
from pathlib import Path

import torch
from annotator import NUCLEUS, nuclei, score_net, training_image

from napari_unet.models import ModelSpec, build
from napari_unet.nets.choice import choose_device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingSet,
    train,
)

MARKS = (50, 100, 200)


class ScheduleFree(Learner):
    """A learner whose optimiser averages the weights itself."""

    def _new_optimiser(self) -> torch.optim.Optimizer:
        from schedulefree import AdamWScheduleFree

        optimiser = AdamWScheduleFree(
            self.net.parameters(), lr=self.learning_rate, weight_decay=0.01
        )
        optimiser.train()
        return optimiser

    @torch.no_grad()
    def _follow(self, counts: torch.Tensor) -> None:
        self._optimiser.eval()
        self.average.load_state_dict(self.net.state_dict())
        self._optimiser.train()
        self.version += 1


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--rule", choices=["average", "free"], required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    config = TrainConfig(learning_rate=args.rate, seed=args.seed)
    spec = ModelSpec(name="bench", classes=NUCLEUS, channels=1)
    kind = Learner if args.rule == "average" else ScheduleFree
    learner = kind(build(spec, seed=args.seed), choose_device()[0], config)
    data = TrainingSet(spec, args.seed)
    for i, pair in enumerate(nuclei(args.data, "fluo", "train", 60)):
        image = training_image(str(i), pair, 1)
        image.annotation.write_objects(pair.image.whole(), pair.objects)
        image.annotation.verify(pair.image.whole())
        data.add(image)
    others = nuclei(args.data, "fluo", "val")
    with tempfile.TemporaryDirectory() as folder:
        for mark in MARKS:
            for _ in train(
                learner, data, Checkpoints(folder), lambda m=mark: learner.steps >= m
            ):
                pass
            dice, precision = score_net(learner.model(), others)
            print(
                f"{args.rule:8} {args.rate:g} step {mark:4} "
                f"Dice {dice:.3f} AP50 {precision:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
