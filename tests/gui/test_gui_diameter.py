"""The diameter of cells: typed, or measured with the mouse."""

import pytest
from gui_annotate import annotate
from gui_mouse import Mouse
from qtpy.QtCore import Qt

from napari_unet.errors import UnetError
from napari_unet.gui.image.screen import camera_of


def test_a_line_across_a_cell_is_its_diameter(viewer, widget, blobs):
    viewer.window.add_dock_widget(widget)
    layer = viewer.add_image(blobs, name="cells", scale=(0.5, 0.5))
    viewer.show()
    form = widget.prediction_panel.controls.form
    center = tuple(camera_of(viewer).center)
    form.measure.click()
    assert "Drag a line" in widget.prediction_panel.controls.status.text()
    Mouse(viewer).draw((10, 10), (10, 34))
    assert form.config().diameter == pytest.approx(24, abs=1)
    assert widget.prediction_panel.controls.status.text() == ""
    # The picture has not moved, and moves again from now on.
    assert tuple(camera_of(viewer).center) == center
    assert layer.mouse_pan
    Mouse(viewer).draw((10, 10), (10, 20))
    assert form.config().diameter == pytest.approx(24, abs=1)


def by_annotate(viewer, widget, mouse, qtbot):
    annotate(widget.annotate_panel, qtbot)
    mouse.draw((20, 10), (20, 30))


def by_another_layer(viewer, widget, mouse, qtbot):
    viewer.add_points([[1, 1]])


def by_escape(viewer, widget, mouse, qtbot):
    mouse.key(Qt.Key.Key_Escape)


def by_the_button(viewer, widget, mouse, qtbot):
    widget.prediction_panel.controls.form.measure.click()


@pytest.mark.parametrize(
    "give_up", [by_annotate, by_another_layer, by_escape, by_the_button]
)
def test_measuring_is_given_up(
    viewer, widget, annotations, mouse, blobs, qtbot, give_up
):
    layer = viewer.add_image(blobs, name="cells")
    form = widget.prediction_panel.controls.form
    form.measure.click()
    give_up(viewer, widget, mouse, qtbot)
    qtbot.wait_until(lambda: not form.measure.isChecked())
    assert widget.prediction_panel.controls.status.text() == ""
    viewer.layers.selection.active = layer
    center = tuple(camera_of(viewer).center)
    mouse.draw((10, 10), (10, 34))
    assert form.config().diameter is None
    assert tuple(camera_of(viewer).center) != center


def test_measuring_goes_on_while_results_are_shown(
    viewer, widget, predict, mouse, blobs
):
    viewer.add_image(blobs, name="cells")
    form = widget.prediction_panel.controls.form
    form.measure.click()
    predict()
    mouse.draw((10, 10), (10, 34))
    assert form.config().diameter == pytest.approx(24, abs=1)
    assert not form.measure.isChecked()


def test_without_an_image_it_says_so(widget, notified):
    widget.prediction_panel.controls.form.measure.click()
    assert "Open one with" in widget.prediction_panel.controls.status.text()
    assert not widget.prediction_panel.controls.form.measure.isChecked()


def test_what_is_typed_is_checked(widget):
    form = widget.prediction_panel.controls.form
    assert form.config().diameter is None
    form.set("diameter", "auto")
    assert form.config().diameter == "auto"
    form.set("diameter", "huge")
    with pytest.raises(UnetError, match="diameter"):
        form.config()


def test_a_model_that_knows_no_size_is_said(viewer, widget, blobs, predict, notified):
    viewer.add_image(blobs, name="cells")
    widget.prediction_panel.controls.form.set("diameter", "12")
    assert "does not know how large" in predict()
