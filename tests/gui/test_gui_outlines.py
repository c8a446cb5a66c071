"""Outlines and lines are seen however large the plane is."""

import numpy as np
import pytest
from gui_annotate import annotate

from napari_unet.gui.objects.drawing import Drawing, line_width
from napari_unet.images import Region


def test_outlines_of_large_accepted_regions_are_whole(
    viewer, widget, annotations, qtbot
):
    from scipy.ndimage import binary_erosion

    layer = viewer.add_image(np.zeros((900, 1100), np.uint8), name="field")
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    image = annotations.of(layer)
    widget.objects_panel.show_image(image)
    for box in (Region(0, 20, 830, 1100), Region(300, 300, 310, 420)):
        widget.objects_panel._mark(box, box.y0 == 0)
    accepted = np.zeros((900, 1100), bool)
    accepted[:830, 20:] = True
    accepted[300:310, 300:420] = False
    width = line_width(accepted.shape)
    inside = binary_erosion(accepted, np.ones((3, 3)), iterations=width)
    shown = viewer.layers["field accepted"].data > 0
    np.testing.assert_array_equal(shown, accepted & ~inside)
    widget.objects_panel._mark(Region(0, 0, 900, 1100), False)
    assert not viewer.layers["field accepted"].data.any()


def test_a_line_goes_from_the_slice_that_it_was_drawn_in(
    viewer, panel, annotations, blobs, qtbot
):
    viewer.add_image(np.stack([blobs] * 6), name="stack")
    drawing = Drawing(viewer, annotate(panel, qtbot))
    layer = viewer.layers["stack drawing"]
    drawing.show([(5, 5), (30, 40)])
    assert layer.data.any()
    viewer.dims.set_current_step(0, 5)
    drawing.show([])
    assert not layer.data.any()


@pytest.mark.parametrize("shape", [(60, 80), (520, 696), (9000, 1300)])
def test_a_line_is_seen_where_all_of_a_plane_is(shape):
    on_screen = np.linspace(0, max(shape), 600, endpoint=False).astype(int)
    line = np.zeros(max(shape), bool)
    for at in range(0, max(shape) - 30, 7):
        line[:] = False
        line[at : at + line_width(shape)] = True
        assert line[on_screen].any()
