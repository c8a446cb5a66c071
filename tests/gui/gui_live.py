"""What the tests of live training share."""

from dataclasses import replace

import numpy as np
from gui_wait import PATIENCE

from napari_unet.annotation import ClassScheme
from napari_unet.engine.messages import Preview
from napari_unet.images import Region
from napari_unet.models import ModelSpec, UNetArchitecture, build, save_model
from napari_unet.training import Stepped

BACKGROUND, CELL = 1, 2

# Milliseconds. While training is left alone the next preview waits 20 times as long as
# one takes; and a full net learns slowly.
LEISURE = 240_000


def save_small_model(folder, classes=("cell",)):
    """Save an untrained net that learns bright and dark within some steps."""
    spec = ModelSpec(
        name="small",
        classes=ClassScheme.named(*classes),
        architecture=UNetArchitecture(depth=1, width=8, max_width=16, boundary=False),
    )
    save_model(build(spec, seed=0), folder)
    return folder


class LiveUser:
    """Somebody who trains: the panel, and everything that training has told."""

    def __init__(self, widget, qtbot):
        self.widget = widget
        self.panel = widget.live_panel
        self.live = widget.session.live
        self.events = []
        self.seen = []
        self.ended = []
        self._qtbot = qtbot
        self.panel.config = replace(
            self.panel.config,
            batch=2,
            crop=64,
            learning_rate=5e-3,
            validate_every=10,
        )
        self.live.told.connect(self.events.append)
        self.panel.view.shown.connect(self.seen.append)
        self.panel.ended.connect(self.ended.append)

    def keep_often(self):
        """Have a checkpoint at each second validation or so."""
        self.panel.config = replace(self.panel.config, checkpoint_minutes=0.01)

    def choose_base(self, text):
        """Choose the first base whose name begins so."""
        box = self.panel.train.base
        names = [box.itemText(i) for i in range(box.count())]
        box.setCurrentIndex(next(i for i, n in enumerate(names) if n.startswith(text)))

    def start(self, base="The chosen model"):
        """Press Start and wait for the first step."""
        self.choose_base(base)
        before = len(self.steps)
        self.panel.train.start.click()
        assert self.live.state == "starting", self.ended
        self.wait(lambda: len(self.steps) > before)

    def stop(self):
        """Press Stop and wait for the end."""
        self.panel.train.stop.click()
        self.wait(lambda: self.live.state == "idle")

    @property
    def steps(self):
        return self.of(Stepped)

    def of(self, kind):
        """Return what training has told of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def more_steps(self, n):
        """Wait for `n` more steps."""
        until = len(self.steps) + n
        self.wait(lambda: len(self.steps) >= until)

    def more_previews(self, n):
        """Wait for `n` more previews."""
        until = len(self.seen) + n
        self.wait(lambda: len(self.seen) >= until, LEISURE)

    def catch_up(self):
        """Let the engine do all that it was asked for; return the step it is at then.

        All steps until then have been told, too.
        """
        image = self.widget.session.annotations.images[0]
        whole = Region(0, 0, *image.annotation.shape)
        pixels = self.widget.session.engine.array(whole.shape, np.uint8)
        key = self.live.subjects.key(image.target.layer)
        (seen,) = self.live.feed.ask(Preview(key, whole, pixels)).result(60)
        pixels.remove()
        self.wait(lambda: self.steps[-1].step >= seen.step)
        return seen.step

    def wait(self, condition, timeout=PATIENCE):
        self._qtbot.wait_until(lambda: bool(condition()), timeout=timeout)


def dab(layer, value, *places):
    """Paint squares as plug-ins do: into the data."""
    for y, x in places:
        layer.data[y - 2 : y + 3, x - 2 : x + 3] = value
    layer.refresh()


def paint_both(layer):
    dab(layer, CELL, (10, 15), (40, 15))
    dab(layer, BACKGROUND, (27, 40), (55, 5))


def said(user, notified, words):
    return any(words in text for text in [*notified, *user.ended])
