"""What the tests of live training share: a picture, strokes, and requests."""

import numpy as np

from napari_unet.annotation import ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.engine.messages import (
    AddImage,
    Done,
    Event,
    Failed,
    Patch,
    Preview,
    Train,
    WriteLabels,
)
from napari_unet.images import Region, image_from_array, measure_intensity
from napari_unet.models import ModelSpec, UNetArchitecture, build, save_model
from napari_unet.training import TrainConfig

CLASSES = ClassScheme.named("cell")
SPEC = ModelSpec(
    name="tiny",
    # Of another class: a model that knows this one would be held on to.
    classes=ClassScheme.named("thing"),
    architecture=UNetArchitecture(depth=1, width=8, max_width=16),
)


def config(**changes):
    return TrainConfig(
        **{
            "batch": 2,
            "crop": 64,
            "validate_every": 10,
            "learning_rate": 5e-3,
            "device": "cpu",
        }
        | changes
    )


def base(folder):
    """Save a tiny model with random weights."""
    save_model(build(SPEC, seed=1), folder / "base")
    return str(folder / "base")


class Scene:
    """An image of bright squares on a dark ground, shared with an engine.

    Parameters
    ----------
    share : callable
        From an array to a `SharedArray`.
    """

    def __init__(self, share, key="a", seed=0, side=160):
        random = np.random.default_rng(seed)
        self.key = key
        self.truth = np.zeros((side, side), np.uint8)
        for y, x in random.integers(0, side - 20, (12, 2)):
            self.truth[y : y + 16, x : x + 16] = 1
        pixels = (self.truth * 100 + random.normal(50, 10, (side, side))).astype("f4")
        image = image_from_array(pixels)
        self.whole = image.whole()
        self.intensity = measure_intensity(image, (0,))
        self.pixels = share(pixels)
        self.semantic = share(np.zeros((side, side), np.uint8))
        self.instances = share(np.zeros((side, side), np.uint32))

    def add(self):
        return AddImage(
            self.key, "squares", self.pixels, "YX", False, (0,), self.intensity
        )

    def paint(self, *labels, region=None):
        """Label all of a part of the image, with what of it is of these classes.

        Every fifth stripe is held out.
        """
        region = region or Region(0, 0, *self.truth.shape)
        truth = self.truth[region.slices]
        scribbles = np.where(np.isin(truth, labels), truth + 1, 0).astype(np.uint8)
        stripes = np.where(np.arange(len(truth)) // 8 % 5 == 4, HELD_OUT, TRAINING)
        split = np.where(scribbles > 0, stripes[:, None], 0).astype(np.uint8)
        return WriteLabels(self.key, (Patch(region, scribbles, split=split),))

    def erase(self):
        nothing = np.zeros(self.truth.shape, np.uint8)
        return WriteLabels(self.key, (Patch(self.whole, nothing, split=nothing),))

    def preview(self, region=None, **changes):
        return Preview(
            self.key, region or self.whole, self.semantic, self.instances, **changes
        )

    def right(self):
        """Return the share of pixels that the last preview has right."""
        return (self.semantic.open("r") == self.truth).mean()


def train(folder, base="none", **changes):
    fields = {
        "name": "mine",
        "base": base,
        "classes": CLASSES,
        "channels": 1,
        "folder": str(folder / "checkpoints"),
        "config": config(),
    }
    return Train(**fields | changes)


class Answers:
    """What a scheduler sends, to be asked for by request."""

    def __init__(self):
        self.sent = []

    def events(self, request):
        return [
            m.event for m in self.sent if isinstance(m, Event) and m.id == request.id
        ]

    def ended(self, request):
        return any(
            isinstance(m, Done | Failed) and m.id == request.id for m in self.sent
        )

    def failure(self, request):
        return next(
            m for m in self.sent if isinstance(m, Failed) and m.id == request.id
        )
