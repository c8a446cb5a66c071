"""The whole loop, with real mouse events in a real viewer."""

import numpy as np
import pytest
from gui_annotate import annotate
from gui_live import LEISURE, LiveUser
from gui_mouse import Mouse
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_unet.engine.messages import RolledBackTo
from napari_unet.gui.samples import nuclei
from napari_unet.training import Checkpointed

SHIFT = Qt.KeyboardModifier.ShiftModifier
BACKGROUND, OBJECT = Qt.Key.Key_1, Qt.Key.Key_2


def bright_and_dim(image, truth):
    """Return where the brightest and the dimmest third of the nuclei are."""
    sizes = np.bincount(truth.ravel())
    means = np.bincount(truth.ravel(), image.ravel()) / np.maximum(sizes, 1)
    order = np.argsort(means[1:]) + 1
    third = len(order) // 3
    return np.isin(truth, order[-third:]), np.isin(truth, order[:third])


def lines(mask, n, seed):
    """Yield the ends of short lines that lie inside a mask."""
    inside = mask.copy()
    for shift in (-6, 6):
        inside &= np.roll(mask, shift, axis=1)
    ys, xs = np.nonzero(inside[8:-8, 8:-8])
    for i in np.random.default_rng(seed).choice(len(ys), n, replace=False):
        y, x = int(ys[i]) + 8, int(xs[i]) + 8
        yield (y, x - 5), (y, x + 5)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_paint_watch_it_learn_correct(viewer, widget, predict, qtbot):
    for data in nuclei():
        viewer.add_layer(Layer.create(*data))
    truth = viewer.layers["nuclei ground truth"].data
    bright, dim = bright_and_dim(viewer.layers["nuclei"].data, truth)
    viewer.layers.selection.active = viewer.layers["nuclei"]
    mouse, user = Mouse(viewer), LiveUser(widget, qtbot)

    def paint(key, mask, n, seed):
        mouse.key(key, SHIFT)
        for a, b in lines(mask, n, seed):
            mouse.draw(a, b)

    # Paint strokes of two classes.
    annotate(widget.annotate_panel, qtbot)
    scribbles = viewer.layers["nuclei scribbles"]
    scribbles.brush_size = 3
    # The docked panel has made the canvas narrower than the image.
    viewer.reset_view()
    paint(OBJECT, bright, 6, seed=0)
    paint(BACKGROUND, truth == 0, 6, seed=1)
    assert set(np.unique(scribbles.data)) == {0, 1, 2}

    # Start, and see the preview change while training goes on.
    user.start("From scratch: U-Net")
    user.more_previews(1)
    semantic = viewer.layers["nuclei semantic"]
    first = semantic.data.copy()
    assert "nuclei instances" in viewer.layers
    user.wait(lambda: (semantic.data != first).any(), LEISURE)
    user.wait(lambda: user.seen[-1].step > user.seen[0].step, LEISURE)
    user.wait(lambda: semantic.data[bright].mean() > 0.7, LEISURE)
    assert user.live.state == "training"

    # Paint again: dim nuclei are background here, which it has to learn.
    before = user.steps[-1].labelled
    painted = scribbles.data.copy()
    paint(BACKGROUND, dim, 8, seed=2)
    new = (scribbles.data == 1) & (painted != 1)
    assert new.any()
    user.wait(lambda: user.steps[-1].labelled > before)
    user.wait(lambda: (semantic.data[new] == 0).mean() > 0.6, LEISURE)
    assert user.live.state == "training"

    # Stop, look at a checkpoint, roll back.
    user.stop()
    kept = user.of(Checkpointed)
    checkpoints = user.panel.checkpoints
    assert checkpoints.isVisible()
    line = user.panel.train.verdict
    assert "kept in" in line.text()
    assert "Predict takes the best one now" in line.text()
    assert checkpoints.list.count() == len(kept)
    oldest = checkpoints.list.item(len(kept) - 1)
    checkpoints.list.scrollToItem(oldest)
    qtbot.mouseClick(
        checkpoints.list.viewport(),
        Qt.MouseButton.LeftButton,
        pos=checkpoints.list.visualItemRect(oldest).center(),
    )
    user.wait(lambda: "nuclei checkpoint" in viewer.layers)
    checkpoints.back.click()
    user.wait(lambda: user.of(RolledBackTo))
    assert user.of(RolledBackTo)[0].name == kept[0].name
    assert "Press Start to go on from there" in line.text()

    # Predict with what was trained.
    assert widget.prediction_panel.models.spec().name.startswith("nuclei, ")
    assert "object" in predict()
