"""Whatever happens while training, the strokes stay whole and the window usable."""

import threading

import dask.array as da
import numpy as np
import pytest
from gui_annotate import annotate
from gui_live import BACKGROUND, CELL, dab, paint_both, said, save_small_model

from napari_unet.annotation import AnnotationStore
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.engine.messages import AtWork, RolledBackTo
from napari_unet.errors import EngineError
from napari_unet.gui.image.screen import camera_of
from napari_unet.gui.train import plan
from napari_unet.images import Region
from napari_unet.training import Checkpointed, Stopped, Validated, Warned

OTHER = 3


def paint_stack(viewer, widget, stack, qtbot):
    """Open a stack and paint both classes on its first slice."""
    image = viewer.add_image(stack, name="stack")
    viewer.layers.selection.active = image
    annotate(widget.annotate_panel, qtbot)
    layer = widget.annotate_panel.image.scribbles
    layer.data[0, 8:13, 13:18] = CELL
    layer.data[0, 25:30, 38:43] = BACKGROUND
    layer.refresh()


def test_without_strokes_it_says_what_to_paint(user, scribbles, notified):
    user.panel.train.start.click()
    assert user.live.state == "idle"
    assert said(user, notified, "Nothing is labelled yet")
    assert "'cell'" in user.panel.train.verdict.text()


def test_a_training_that_cannot_start_leaves_the_chosen_model(
    user, scribbles, widget, tmp_path
):
    paint_both(scribbles)
    user.start()
    user.stop()
    other = str(save_small_model(tmp_path / "other"))
    widget.prediction_panel.models.choose_folder(tmp_path / "other")
    scribbles.data[...] = 0
    scribbles.refresh()
    user.choose_base("The chosen model")
    user.panel.train.start.click()
    assert "Nothing is labelled yet" in user.ended[-1]
    assert widget.prediction_panel.models.model == other


@pytest.mark.parametrize(
    ("value", "missing"), [(BACKGROUND, "'cell'"), (CELL, "the background")]
)
def test_with_one_class_it_says_what_to_add(user, scribbles, value, missing):
    dab(scribbles, value, (10, 15))
    user.panel.train.start.click()
    assert user.live.state == "idle"
    assert f"a few strokes on {missing}" in user.panel.train.verdict.text()
    dab(scribbles, value, (10, 55))
    user.wait(lambda: "Paint strokes on the" in user.panel.train.verdict.text())


def test_stop_does_not_wait_for_an_image_that_is_still_read(
    viewer, user, blobs, widget, qtbot
):
    go_on = threading.Event()

    def slow(block):
        go_on.wait(60)
        return block

    data = da.from_array(np.stack([blobs] * 6), chunks=(1, 60, 80))
    go_on.set()
    slow_data = data.map_blocks(slow, dtype=data.dtype)
    paint_stack(viewer, widget, slow_data, qtbot)
    go_on.clear()
    user.choose_base("The chosen model")
    user.panel.train.start.click()
    user.panel.train.stop.click()
    user.wait(lambda: user.live.state == "idle", 10_000)
    assert "before the first step" in user.ended[-1]
    go_on.set()
    user.start()
    user.stop()


def test_pause_and_go_on(user, scribbles):
    paint_both(scribbles)
    user.start()
    user.panel.train.show_line("Looking for where the model is least sure…")
    user.panel.train.pause.click()
    assert user.live.state == "paused"
    assert "Paused" in user.panel.train.verdict.text()
    at = user.catch_up()
    # Turns of the engine in which a training that goes on would step.
    for _ in range(5):
        user.live.feed.ask(AtWork()).result(60)
    assert user.catch_up() == at
    # A step that was under way may be judged only now.
    user.live.told.emit(Validated(at, (None, 0.5), 0.5, "improving"))
    assert "Paused" in user.panel.train.verdict.text()
    assert user.steps[-1].step == at
    user.panel.train.pause.click()
    assert user.panel.train.verdict.text() == "Training goes on."
    user.more_steps(3)
    user.stop()
    assert isinstance(user.events[-1], Stopped)


def test_another_model_is_chosen(user, scribbles, widget, tmp_path):
    paint_both(scribbles)
    user.start()
    began = user.panel.train.base.currentText()
    other = save_small_model(tmp_path / "other", ("dog",))
    widget.prediction_panel.models.choose_folder(other)
    user.more_steps(2)
    assert user.panel.train.base.currentText() == began
    user.stop()


def test_the_image_is_renamed(viewer, user, scribbles):
    paint_both(scribbles)
    user.start()
    user.more_previews(1)
    viewer.layers["field instances"].name = "my cells"
    viewer.layers["field"].name = "tissue"
    user.more_previews(2)
    assert {layer.name for layer in viewer.layers} == {
        "tissue",
        "tissue scribbles",
        "tissue semantic",
        "my cells",
    }
    user.stop()


def test_a_slider_is_named(viewer, user, blobs, widget, qtbot):
    paint_stack(viewer, widget, np.stack([blobs] * 6), qtbot)
    user.start()
    viewer.dims.axis_labels = ("t", "y", "x")
    user.more_previews(2)
    assert not any("wrong" in text for text in user.ended)
    user.stop()


def test_another_channel_is_chosen(viewer, user, blobs, widget, qtbot):
    many = np.stack([blobs, blobs[::-1]])
    viewer.layers.selection.active = layer = viewer.add_image(
        many, name="many", axis_labels=("c", "y", "x")
    )
    viewer.dims.set_current_step(0, 0)
    paint_both(annotate(widget.annotate_panel, qtbot).scribbles)
    user.start()
    sent = user.live.feed._shared
    key = user.live.subjects.key(layer)
    assert sent[key].channels == (0,)
    widget.image_panel.channels.box.setCurrentText("Channel 1")
    user.wait(lambda: sent[key].channels == (1,))
    user.more_steps(3)
    assert user.of(Warned) == [], "its labels were there all the time"
    user.stop()


def test_the_image_is_removed(viewer, user, scribbles, widget):
    paint_both(scribbles)
    user.start()
    viewer.layers.remove("field")
    user.more_steps(5)
    assert (scribbles.data == CELL).sum() == 50
    user.stop()


def test_a_checkpoint_is_chosen_and_there_is_no_image(
    viewer, user, scribbles, notified
):
    user.keep_often()
    paint_both(scribbles)
    user.start()
    user.wait(lambda: user.of(Checkpointed))
    viewer.layers.remove("field")
    user.panel.checkpoints.chosen.emit(user.of(Checkpointed)[0].name)
    assert said(user, notified, "There is no image to show the checkpoint on")
    user.more_steps(3)
    user.stop()


def test_an_image_that_was_only_looked_at_is_forgotten(viewer, user, scribbles, blobs):
    paint_both(scribbles)
    user.start()
    viewer.add_image(blobs[::-1].copy(), name="second", translate=(0, 200))
    viewer.reset_view()
    known = user.live.feed._known
    user.wait(lambda: len(known) == 2)
    viewer.layers.remove("second")
    user.wait(lambda: len(known) == 1)
    user.more_steps(3)
    assert (scribbles.data == CELL).sum() == 50
    user.stop()


def test_a_stack_is_looked_at_from_the_side(viewer, user, blobs, widget, qtbot):
    paint_stack(viewer, widget, np.stack([blobs] * 6), qtbot)
    user.start()
    user.more_previews(1)
    # However long a preview takes, another view does not wait for it.
    user.panel.view._previews._cost = 600.0
    viewer.dims.order = (1, 0, 2)
    line = user.panel.train.verdict
    user.wait(lambda: "no preview of this view" in line.text())
    viewer.dims.order = (0, 1, 2)
    user.wait(lambda: "no preview" not in line.text())
    user.more_previews(1)
    user.stop()


def test_the_strokes_layer_is_renamed_and_removed(
    viewer, user, scribbles, widget, qtbot
):
    viewer.add_labels(np.zeros((60, 80), int), name="another")
    paint_both(scribbles)
    user.start()
    scribbles.name = "my strokes"
    dab(scribbles, CELL, (10, 55))
    user.wait(lambda: user.steps[-1].labelled > 75)
    viewer.layers.remove(scribbles)
    user.more_steps(5)
    annotate(widget.annotate_panel, qtbot)
    back = viewer.layers["field scribbles"]
    assert [(back.data == c).sum() for c in (BACKGROUND, CELL)] == [50, 75]
    user.stop()


def test_the_image_becomes_one_of_another_size(viewer, user, scribbles, tmp_path):
    paint_both(scribbles)
    user.start()
    image = user.widget.session.annotations.images[0]
    viewer.layers["field"].data = np.zeros((33, 47), np.uint16)
    user.wait(lambda: "another size now" in user.panel.train.verdict.text())
    user.panel.train.stop.click()
    user.wait(lambda: user.live.state == "idle")
    user.widget.session.annotations.close()
    kept, _ = AnnotationStore(tmp_path / "kept").load(image.key)
    assert kept.counts(2).tolist() == [50, 50]


def test_everything_is_removed(viewer, user, scribbles, widget, notified, tmp_path):
    paint_both(scribbles)
    user.start()
    image = widget.session.annotations.images[0]
    viewer.layers.clear()
    user.wait(lambda: user.of(Warned))
    assert said(user, notified, "Training waits")
    user.stop()
    widget.session.annotations.close()
    kept, _ = AnnotationStore(tmp_path / "kept").load(image.key)
    assert kept.counts(2).tolist() == [50, 50]


def test_a_class_is_added_and_removed(user, scribbles, widget):
    annotations = widget.session.annotations
    paint_both(scribbles)
    user.start()
    user.more_steps(20)
    annotations.set_scheme(annotations.scheme.add("other"))
    user.wait(lambda: user.of(Stopped))
    user.more_steps(5)
    assert user.live.state == "training"
    assert user.steps[-1].step > 20

    dab(scribbles, OTHER, (10, 55), (40, 55))
    dab(scribbles, CELL, (12, 12))
    user.wait(lambda: user.steps[-1].labelled > 100)
    annotations.remove_class(2)
    user.wait(lambda: len(user.of(Stopped)) == 2)
    user.more_steps(5)
    assert set(np.unique(scribbles.data)) == {0, BACKGROUND, CELL}
    user.stop()
    assert widget.prediction_panel.models.spec().classes.names == ("background", "cell")


def test_the_last_class_is_removed(user, scribbles, widget):
    paint_both(scribbles)
    user.start()
    widget.session.annotations.remove_class(1)
    user.wait(lambda: user.live.state == "idle")
    assert "another class" in user.panel.train.verdict.text()
    user.panel.train.start.click()
    assert "another class" in user.ended[-1]


def test_a_class_is_renamed(user, scribbles, widget):
    annotations = widget.session.annotations
    paint_both(scribbles)
    user.start()
    user.more_steps(20)
    annotations.set_scheme(annotations.scheme.rename(1, "neuron"))
    user.wait(lambda: user.of(Stopped))
    user.more_steps(5)
    assert user.steps[-1].step > 20
    user.stop()
    spec = widget.prediction_panel.models.spec()
    assert spec.classes.names == ("background", "neuron")
    assert spec.base_classes == [0, 1], "what the base model knows is not forgotten"


def test_strokes_that_cannot_be_sent_are_said(
    user, scribbles, monkeypatch, notified, widget
):
    def cannot(key):
        raise EngineError("Memory is full.")

    paint_both(scribbles)
    user.start()
    user.panel.train.preview.setChecked(False)
    send = user.live.feed._write
    monkeypatch.setattr(user.live.feed, "_write", cannot)
    dab(scribbles, CELL, (12, 55))
    user.wait(lambda: said(user, notified, "Memory is full."))
    assert user.live.state == "training"
    monkeypatch.setattr(user.live.feed, "_write", send)
    dab(scribbles, CELL, (40, 55))
    labels = widget.session.annotations.images[0].annotation
    # Those that were lost before come with them.
    user.wait(lambda: user.steps[-1].labelled == labels.tally()[:, TRAINING].sum())
    user.stop()


def test_a_model_of_an_image_with_a_long_name_has_a_short_folder(
    viewer, user, scribbles
):
    viewer.layers["field"].name = "slide 7, DAPI: " * 20
    paint_both(scribbles)
    plan = user.panel._plan()
    assert plan.folder.name.startswith("slide-7-DAPI-slide-7")
    # With the folder of the user's data, and what a checkpoint adds, below 260.
    assert len(plan.folder.name) < 64


def test_the_disk_is_full(user, scribbles, notified, monkeypatch, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(plan, "data_folder", lambda: blocked)
    user.keep_often()
    paint_both(scribbles)
    user.start()
    user.wait(lambda: user.of(Warned))
    user.more_steps(3)
    user.stop()
    assert said(user, notified, "could not be saved")
    assert user.live.state == "idle"
    assert user.panel.train.start.isEnabled()


def test_roll_back_while_training(viewer, user, scribbles):
    user.keep_often()
    paint_both(scribbles)
    user.start()
    user.wait(lambda: user.of(Checkpointed))
    kept = user.panel.checkpoints
    oldest = kept.list.item(kept.list.count() - 1)
    kept.list.setCurrentItem(oldest)
    kept.list.itemClicked.emit(oldest)
    user.wait(lambda: "'… checkpoint'" in kept.where.text())
    assert "field checkpoint" in viewer.layers
    kept.back.click()
    user.wait(lambda: user.of(RolledBackTo))
    user.more_steps(3)
    user.stop()


def test_next_goes_to_another_image(viewer, user, scribbles, blobs):
    paint_both(scribbles)
    user.start()
    user.more_steps(10)
    user.stop()
    # All of the first image is labelled now; the second one is not.
    scribbles.data[scribbles.data == 0] = BACKGROUND
    scribbles.refresh()
    other = viewer.add_image(blobs[::-1].copy(), name="second", translate=(0, 200))
    user.panel.train.next.click()
    user.wait(lambda: "Least sure" in user.panel.train.verdict.text())
    assert "'second'" in user.panel.train.verdict.text()
    assert viewer.layers.selection.active is other
    assert camera_of(viewer).center[-1] > 190


def test_what_is_freed_in_one_image_by_strokes_on_another_is_learnt(
    user, scribbles, viewer, widget, blobs, qtbot
):
    """A class must not be held out alone; the engine hears of all that it concerns."""
    paint_both(scribbles)
    viewer.layers.selection.active = viewer.add_image(blobs.T.copy(), name="second")
    second = annotate(widget.annotate_panel, qtbot)
    paint_both(second.scribbles)
    images = widget.session.annotations.images
    widget.session.annotations.flush()
    for image, cells in zip(images, (HELD_OUT, TRAINING), strict=True):
        whole = Region(0, 0, *image.annotation.shape)
        split = np.array([0, TRAINING, cells], np.uint8)
        image.annotation.assign(whole, split[image.annotation.scribbles.read(whole)])
    user.start()

    def to_learn():
        return sum(i.annotation.tally()[:, TRAINING].sum() for i in images)

    assert user.steps[-1].labelled == to_learn()
    dab(second.scribbles, 0, (10, 15), (40, 15))
    user.wait(lambda: not images[0].annotation.held_out(Region(0, 0, 60, 80)).any())
    # The engine hears of one image after the other; this comes after both.
    user.catch_up()
    user.more_steps(3)
    assert user.steps[-1].labelled == to_learn() == 150


def test_an_image_that_is_opened_again_is_learnt_from_again(
    user, scribbles, viewer, blobs
):
    paint_both(scribbles)
    user.start()
    labelled = user.steps[-1].labelled
    viewer.layers.remove("field")
    viewer.add_image(blobs.copy(), name="again")
    user.wait(lambda: scribbles.name == "again scribbles")
    user.catch_up()
    user.more_steps(10)
    assert user.steps[-1].labelled == labelled
