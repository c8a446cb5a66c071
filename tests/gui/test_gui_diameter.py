"""The diameter of cells: typed, or measured with the mouse."""

import pytest
from gui_mouse import Mouse

from napari_unet.errors import UnetError


def test_a_line_across_a_cell_is_its_diameter(viewer, widget, blobs):
    viewer.window.add_dock_widget(widget)
    layer = viewer.add_image(blobs, name="cells", scale=(0.5, 0.5))
    viewer.show()
    form = widget.prediction_panel.controls.form
    center = tuple(viewer.scene.camera.center)
    form.measure.click()
    assert "Drag a line" in widget.prediction_panel.controls.status.text()
    Mouse(viewer).draw((10, 10), (10, 34))
    assert form.config(None).diameter == pytest.approx(24, abs=1)
    # The picture has not moved, and moves again from now on.
    assert tuple(viewer.scene.camera.center) == center
    assert layer.mouse_pan
    Mouse(viewer).draw((10, 10), (10, 20))
    assert form.config(None).diameter == pytest.approx(24, abs=1)


def test_without_an_image_it_says_so(widget, notified):
    widget.prediction_panel.controls.form.measure.click()
    assert "Open one first" in widget.prediction_panel.controls.status.text()


def test_what_is_typed_is_checked(widget):
    form = widget.prediction_panel.controls.form
    assert form.config(None).diameter is None
    form.set("diameter", "auto")
    assert form.config(None).diameter == "auto"
    form.set("diameter", "huge")
    with pytest.raises(UnetError, match="diameter"):
        form.config(None)


def test_a_model_that_knows_no_size_is_said(viewer, widget, blobs, predict, notified):
    viewer.add_image(blobs, name="cells")
    widget.prediction_panel.controls.form.set("diameter", "12")
    assert "does not know how large" in predict()
