"""What a training has left so far is in sight: its curves and its checkpoints."""

import numpy as np
from gui_annotate import annotate
from gui_live import paint_both
from gui_wait import settled
from qtpy.QtCore import QSize

from napari_unet.annotation import ClassScheme
from napari_unet.engine.messages import RolledBackTo
from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.train.checkpoint_panel import CheckpointPanel
from napari_unet.gui.train.outcome import Outcome
from napari_unet.gui.train.plan import Plan
from napari_unet.gui.widget import UnetWidget
from napari_unet.training import Checkpointed, Stepped, TrainConfig, Validated


def picture(item):
    """Return the small picture beside a checkpoint as bytes."""
    image = item.icon().pixmap(QSize(48, 48)).toImage()
    return bytes(image.constBits().asarray(image.sizeInBytes()))


def is_drawn(item):
    return len(set(picture(item)[::4])) > 1


def losses(plot):
    """Return the losses that a plot has drawn."""
    return plot._loss_curve.getOriginalDataset()[1].tolist()


def test_the_panel_is_opened_again_while_it_trains(viewer, user, scribbles):
    user.keep_often()
    paint_both(scribbles)
    user.start()
    kept = user.panel.checkpoints.list
    user.wait(kept.count)
    user.wait(lambda: is_drawn(kept.item(kept.count() - 1)))
    user.panel.train.pause.click()
    oldest = kept.item(kept.count() - 1)
    text, drawn = oldest.text(), picture(oldest)
    base = user.panel.train.base.currentText()
    user.catch_up()
    viewer.window.remove_dock_widget(user.widget)
    user.widget.deleteLater()
    again = UnetWidget(viewer)
    viewer.window.add_dock_widget(again, name="U-Net")
    train, kept = again.live_panel.train, again.live_panel.checkpoints.list
    assert "Paused" in train.verdict.text()
    oldest = kept.item(kept.count() - 1)
    assert (oldest.text(), picture(oldest)) == (text, drawn)
    assert train.base.currentText() == base
    assert losses(train.plot) == [step.loss for step in user.steps]
    train.pause.click()
    assert train.verdict.text() == "Training goes on."
    train.stop.click()
    user.wait(lambda: user.live.state == "idle")


def test_checkpoints_are_drawn_also_while_the_view_cannot_be_predicted(
    viewer, user, scribbles
):
    user.keep_often()
    paint_both(scribbles)
    user.start()
    kept = user.panel.checkpoints.list
    user.wait(kept.count)
    camera_of(viewer).center = (1000, 1000)
    user.wait(lambda: "not in sight" in user.panel.train.verdict.text())
    count = kept.count()
    user.wait(lambda: kept.count() > count and is_drawn(kept.item(0)))
    user.stop()


def test_checkpoints_are_drawn_in_3d_and_when_the_first_image_has_gone(
    viewer, user, scribbles, widget, blobs, qtbot
):
    paint_both(scribbles)
    viewer.add_image(np.stack([blobs] * 6), name="stack", axis_labels=("z", "y", "x"))
    annotate(widget.annotate_panel, qtbot)
    pictures = []
    user.panel.view.thumbnail.connect(pictures.append)
    user.keep_often()
    user.start()
    user.wait(lambda: pictures)
    viewer.dims.ndisplay = 3
    n = len(pictures)
    user.wait(lambda: len(pictures) > n + 1)
    viewer.dims.ndisplay = 2
    pinned = pictures[-1].view.target.layer
    viewer.layers.remove(pinned)
    user.wait(lambda: pictures[-1].view.target.layer is not pinned)


def test_the_first_checkpoint_is_drawn_in_3d(viewer, user, scribbles):
    paint_both(scribbles)
    viewer.dims.ndisplay = 3
    user.keep_often()
    user.start()
    kept = user.panel.checkpoints.list
    user.wait(lambda: kept.count() and is_drawn(kept.item(kept.count() - 1)))
    user.stop()


def test_a_checkpoint_is_predicted_where_the_user_looks(
    viewer, user, scribbles, blobs, qtbot
):
    paint_both(scribbles)
    user.keep_often()
    user.start()
    user.wait(lambda: user.of(Checkpointed))
    user.stop()
    viewer.add_image(np.stack([blobs] * 6), name="stack", axis_labels=("z", "y", "x"))
    viewer.dims.set_current_step(0, 1)
    settled(lambda: viewer.dims.current_step)
    user.panel.checkpoints.list.itemClicked.emit(user.panel.checkpoints.list.item(0))
    seen = user.seen
    before = len(seen)

    def planes():
        return [view.view.region.plane["Z"] for view in seen[before:]]

    user.wait(lambda: planes() == [1])
    layer = viewer.layers["stack checkpoint"]
    # A slider that is dragged is waited for.
    for z in (2, 3, 4):
        viewer.dims.set_current_step(0, z)
    user.wait(lambda: planes() == [1, 4])
    layer.visible = False
    viewer.dims.set_current_step(0, 5)
    qtbot.wait(300)
    layer.visible = True
    user.wait(lambda: planes() == [1, 4, 5])
    # What is seen of it already is not predicted again.
    camera_of(viewer).zoom *= 2
    qtbot.wait(300)
    assert planes() == [1, 4, 5]
    viewer.layers.remove(layer)
    viewer.dims.set_current_step(0, 0)
    qtbot.wait(300)
    assert planes() == [1, 4, 5]
    assert "stack checkpoint" not in viewer.layers
    # One that is clicked in 3-D is seen later.
    viewer.dims.set_current_step(0, 5)
    viewer.dims.ndisplay = 3
    user.panel.checkpoints.list.itemClicked.emit(user.panel.checkpoints.list.item(0))
    assert "2-D first" in user.panel.train.verdict.text()
    viewer.dims.ndisplay = 2
    user.wait(lambda: planes() == [1, 4, 5, 5])
    assert "stack checkpoint" in viewer.layers


def test_checkpoints_that_made_room_leave_the_list(qtbot, tmp_path):
    outcome, panel = Outcome(), CheckpointPanel()
    qtbot.addWidget(panel)
    outcome.begin(Plan("mine", "unet", tmp_path, TrainConfig()))
    for step in (1, 2, 3):
        (tmp_path / f"step-{step}").mkdir()
        if step == 3:
            (tmp_path / "step-1").rmdir()
        event = Checkpointed(step, f"step-{step}", 0.5, step == 2, 0.0)
        outcome.take(event)
        panel.add(event)
        panel.show_kept(outcome.checkpoints)
    rows = [panel.list.item(i).text().splitlines()[0] for i in range(2)]
    assert panel.list.count() == 2
    assert rows == ["Step 3", "Step 2 · best"]
    panel.draw("step-1", np.ones((8, 8), np.uint8), ClassScheme.named("cell"))
    assert not is_drawn(panel.list.item(0))


def test_the_best_of_those_that_are_left_is_marked_after_going_back(qtbot, tmp_path):
    outcome, panel = Outcome(), CheckpointPanel()
    qtbot.addWidget(panel)
    outcome.begin(Plan("mine", "unet", tmp_path, TrainConfig()))

    def rows():
        return [panel.list.item(i).text().splitlines()[0] for i in range(2)]

    for step in (1, 2):
        (tmp_path / f"step-{step}").mkdir()
        event = Checkpointed(step, f"step-{step}", step / 9, True, 0.0)
        outcome.take(event)
        panel.add(event)
        panel.show_kept(outcome.checkpoints)
    assert rows() == ["Step 2 · best", "Step 1"]
    outcome.take(RolledBackTo("step-1"))
    panel.show_kept(outcome.checkpoints)
    assert rows() == ["Step 2", "Step 1 · best"]
    panel.show_all(outcome.checkpoints)
    assert rows() == ["Step 2", "Step 1 · best"]


def test_curves_are_thinned_and_keep_their_course(tmp_path):
    outcome = Outcome()
    outcome.begin(Plan("mine", "unet", tmp_path, TrainConfig()))
    curves = outcome.curves
    for step in range(1, 10_001):
        outcome.take(Stepped(step, 1 / step, 1.0, 10))
        outcome.take(Validated(step, (None,), None, "starting"))
    outcome.take(Validated(10_000, (0.5,), 0.5, "flat"))
    assert curves.scores == [(10_000, 0.5)]
    assert 500 < len(curves.losses) <= 1200
    steps, losses = np.transpose(curves.losses)
    assert (np.diff(steps) > 0).all()
    assert (np.diff(losses) < 0).all()
    assert steps[-1] > 9_900
    outcome.begin(Plan("other", "unet", tmp_path / "other", TrainConfig()))
    assert curves.losses == curves.scores == []
