"""In 3-D, or with other axes on screen, nothing is taken for rows and columns."""

import numpy as np
import pytest
from gui_annotate import annotate, same

from napari_unet.gui.image.screen import FLAT_FIRST, camera_of


def look_from_above(viewer):
    viewer.dims.ndisplay = 3
    camera_of(viewer).angles = (30, 50, 120)


def test_no_view_of_a_plane_in_3d_is_accepted(
    viewer, widget, annotations, correct, blobs
):
    correct(blobs)
    look_from_above(viewer)
    widget.objects_panel.accept_view.click()
    assert widget.objects_panel.status.text() == FLAT_FIRST
    assert not annotations.images[0].annotation.verified.keys()


def test_what_a_plugin_paints_on_a_plane_in_3d_is_kept(viewer, painted, qtbot):
    image, layer = painted
    look_from_above(viewer)
    layer.data[40:50, 20:30] = 1
    layer.refresh()
    qtbot.wait_until(lambda: same(image, layer))


def test_nothing_is_measured_in_3d(viewer, widget, blobs, notified):
    viewer.add_image(blobs, name="field")
    look_from_above(viewer)
    panel = widget.prediction_panel
    panel.controls.form.measure.click()
    assert panel.controls.status.text() == FLAT_FIRST
    assert FLAT_FIRST in notified[-1]
    assert not panel.controls.form.measure.isChecked()


@pytest.fixture
def columns_of_depth(viewer, widget, annotations, blobs):
    """A stack with the depth last, as Matlab has it, and far between its slices."""
    layer = viewer.add_image(
        np.stack([blobs] * 12, axis=-1),
        name="field",
        axis_labels=("y", "x", "z"),
        scale=(0.1, 0.1, 10),
    )
    viewer.dims.order = (2, 0, 1)
    viewer.reset_view()
    return layer


def test_a_diameter_is_measured_in_rows_and_columns(columns_of_depth, widget, mouse):
    form = widget.prediction_panel.controls.form
    form.measure.click()
    at = columns_of_depth.data.shape[-1] // 2
    mouse.draw((10, 40, at), (30, 40, at))
    assert form.config().diameter == pytest.approx(20, abs=1)


def test_the_brush_is_as_wide_as_the_pixels_on_screen_ask(
    columns_of_depth, viewer, widget, qtbot
):
    camera_of(viewer).zoom = 1
    image = annotate(widget.annotate_panel, qtbot)
    assert image.scribbles.brush_size == 40
