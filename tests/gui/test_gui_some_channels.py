"""Models see some of many channels."""

import numpy as np
import pytest
from gui_annotate import annotate, on_disk, open_again
from gui_live import paint_both
from gui_threshold import saved_threshold_model
from qtpy.QtCore import Qt

from napari_unet.gui.image.choices import SOME


@pytest.fixture
def stained(viewer, blobs):
    """Five channels of one image in a layer; what models are to see is in 1 and 3."""
    data = np.zeros((5, *blobs.shape), blobs.dtype)
    data[1] = blobs
    data[3] = np.roll(blobs, 20, 1)
    return viewer.add_image(data, name="stained", axis_labels=("c", "y", "x"))


def items(panel):
    return [
        panel.channels.some.list.item(row)
        for row in range(panel.channels.some.list.count())
    ]


def is_ticked(item):
    return item.checkState() == Qt.CheckState.Checked


def tick_or_untick(item, ticked=True):
    if item.flags() & Qt.ItemFlag.ItemIsEnabled:
        item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)


@pytest.fixture
def tick(widget, qtbot):
    """Tick boxes by their names, untick all others, and press Choose."""

    def tick(*names):
        panel = widget.image_panel
        panel.channels.box.setCurrentText(SOME)
        assert panel.channels.some.isVisible()
        for item in items(panel):
            tick_or_untick(item, ticked=item.text() in names)
        qtbot.mouseClick(panel.channels.some.choose, Qt.MouseButton.LeftButton)
        assert not panel.channels.some.isVisible()

    return tick


def test_two_of_five_channels(viewer, widget, annotations, stained, tick):
    panel = widget.image_panel
    tick("Channel 1", "Channel 3")
    assert panel.channels.box.currentText() == "Channels 1 and 3"
    assert panel.channels.seen == (1, 3)
    widget.session.live.subjects.channels = 2
    subject = widget.session.live.subjects.of(panel.target())
    assert subject.channels == (1, 3)
    # The slider shows something else, and another image has a choice of its own.
    viewer.dims.set_current_step(0, 4)
    assert panel.channels.seen == (1, 3)
    viewer.add_image(stained.data, name="other", axis_labels=("c", "y", "x"))
    assert panel.channels.seen == (4,)
    viewer.layers.selection.active = stained
    assert panel.channels.seen == (1, 3)
    panel.channels.box.setCurrentText("Channel 2")
    assert panel.channels.box.findText("Channels 1 and 3") == -1


def test_a_model_of_two_channels_sees_two_of_five(
    viewer, widget, stained, predict, tick, tmp_path
):
    folder = saved_threshold_model(tmp_path / "two", channels=2)
    widget.prediction_panel.models.choose_folder(folder)
    widget.image_panel.channels.box.setCurrentText("All channels")
    assert "has 5 channels, but the model takes 2" in predict()
    tick("Channel 2", "Channel 3", "Channel 4")
    assert "of which 3 are chosen, but the model takes 2" in predict()
    # The first of the model's channels decides.
    tick("Channel 0", "Channel 3")
    assert "0 objects" in predict()
    tick("Channel 3", "Channel 4")
    assert "objects" in predict()
    (shown,) = (x for x in viewer.layers if x.name.endswith(" semantic"))
    np.testing.assert_array_equal(shown.data > 0, stained.data[3] > 2000)


def test_the_question_may_be_left(widget, stained, qtbot):
    panel = widget.image_panel
    before = panel.channels.box.currentText()
    panel.channels.box.setCurrentText(SOME)
    # What is seen is ticked; one alone is in the list.
    assert [is_ticked(item) for item in items(panel)].count(True) == 1
    assert not panel.channels.some.choose.isEnabled()
    qtbot.keyClick(panel.channels.some.list, Qt.Key.Key_Space)
    assert panel.channels.some.choose.isEnabled()
    qtbot.mouseClick(panel.channels.some.cancel, Qt.MouseButton.LeftButton)
    assert not panel.channels.some.isVisible()
    assert panel.channels.box.currentText() == before
    panel.channels.box.setCurrentText("All channels")
    panel.channels.box.setCurrentText(SOME)
    assert all(map(is_ticked, items(panel)))
    # Another choice answers it.
    panel.channels.box.setCurrentText("Channel 0")
    assert not panel.channels.some.isVisible()


def test_labels_keep_the_channels_that_they_were_painted_on(
    widget, store, stained, tick, qtbot, annotations, make_napari_viewer, tmp_path
):
    tick("Channel 1", "Channel 3")
    image = annotate(widget.annotate_panel, qtbot)
    paint_both(image.scribbles)
    qtbot.wait_until(lambda: on_disk(store, image, image.scribbles))
    assert store.load(image.key)[0].channels == (1, 3)
    other = make_napari_viewer(show=True)
    again = open_again(other, None, widget.session.engine, tmp_path)
    other.add_image(stained.data, axis_labels=("c", "y", "x"))
    kept = again.annotate_panel.kept_line
    qtbot.wait_until(kept.isVisible)
    kept.go_on.click()
    qtbot.wait_until(lambda: again.image_panel.channels.seen == (1, 3))


def test_three_of_four_layers(viewer, widget, blobs, tick):
    layers = viewer.add_image(
        np.stack([blobs] * 4), channel_axis=0, name=["dna", "actin", "er", "golgi"]
    )
    viewer.layers.selection.active = layers[2]
    panel = widget.image_panel
    panel.channels.box.setCurrentText(SOME)
    shown = {item.text(): item for item in items(panel)}
    assert list(shown) == ["dna", "actin", "er", "golgi"]
    # The image itself is one of them.
    assert is_ticked(shown["er"])
    assert not shown["er"].flags() & Qt.ItemFlag.ItemIsEnabled
    tick("dna", "golgi")
    assert panel.channels.box.currentText() == "With 'dna' and 'golgi'"
    target = panel.target()
    seen = widget.session.channels.image(target.layer, target.image)
    assert seen.n_channels == 3
    assert widget.session.channels.joined(layers[2], target.image) == (
        layers[0],
        layers[2],
        layers[3],
    )


def test_a_list_of_many_channels_is_scrolled(viewer, widget):
    data = np.zeros((40, 30, 30), np.uint8)
    viewer.add_image(data, axis_labels=("c", "y", "x"))
    panel = widget.image_panel
    panel.channels.box.setCurrentText(SOME)
    assert len(items(panel)) == 40
    assert panel.channels.some.height() < 400
