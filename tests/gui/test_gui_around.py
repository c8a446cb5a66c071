"""Edits of objects look only at the part of a plane that they are about."""

import numpy as np
import pytest

from napari_unet.gui.around import around
from napari_unet.gui.drawing import line_width
from napari_unet.images import Region


@pytest.mark.parametrize("seed", range(3))
def test_a_box_holds_all_of_the_objects_and_a_margin(seed):
    random = np.random.default_rng(seed)
    objects = random.integers(0, 400, (150, 90)).astype(np.uint32)
    for ids in ([7], [7, 8], list(range(1, 30))):
        box = around(objects, ids, 2)
        y, x = np.nonzero(np.isin(objects, ids))
        assert box == (
            slice(max(y.min() - 2, 0), y.max() + 3),
            slice(max(x.min() - 2, 0), x.max() + 3),
        )


@pytest.mark.parametrize("ids", [[], [9]])
def test_a_box_is_empty_where_no_object_is(ids):
    objects = np.ones((5, 6), np.uint32)
    assert objects[around(objects, ids, 2)].size == 0


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


@pytest.mark.parametrize("shape", [(60, 80), (520, 696), (9000, 1300)])
def test_a_line_is_seen_where_all_of_a_plane_is(shape):
    on_screen = np.linspace(0, max(shape), 600, endpoint=False).astype(int)
    line = np.zeros(max(shape), bool)
    for at in range(0, max(shape) - 30, 7):
        line[:] = False
        line[at : at + line_width(shape)] = True
        assert line[on_screen].any()
