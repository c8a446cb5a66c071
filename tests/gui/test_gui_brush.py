"""How wide the brush is at first."""

import numpy as np
import pytest
from gui_annotate import annotate

from napari_unet.gui.image.screen import camera_of


@pytest.mark.parametrize("scale", [1, 0.25])
def test_a_stroke_on_all_of_a_large_image_can_be_seen(
    viewer, panel, annotations, mouse, qtbot, scale
):
    viewer.add_image(np.zeros((6000, 6000), np.uint8), name="slide", scale=[scale] * 2)
    annotate(panel, qtbot)
    layer = viewer.layers["slide scribbles"]
    before = viewer.screenshot(flash=False)
    mouse.draw((3000, 1500), (3000, 4500))
    changed = (viewer.screenshot(flash=False) != before).any(axis=-1)
    assert 3 <= np.median(changed.sum(axis=0)[changed.any(axis=0)]) <= 5
    assert layer.brush_size * camera_of(viewer).zoom * scale == pytest.approx(4, 0.1)


def test_it_is_six_pixels_wide_where_they_are_seen(panel, annotations, painted):
    _, layer = painted
    assert layer.brush_size == 6
