"""Labels lie over their image wherever the user puts it."""

import numpy as np
import pytest
from gui_annotate import FIRST, annotate, same

CHANGES = {
    "scale": (2, 0.5),
    "translate": (30, -7),
    "rotate": 20,
    "shear": (0.3,),
    "affine": [[0, 1, 5], [-1, 0, 8], [0, 0, 1]],
}


def in_place(layer, image):
    """Whether two layers put the first and another pixel in the same places."""
    skip = image.ndim - layer.ndim
    return all(
        np.allclose(
            layer.data_to_world(at[skip:]), np.asarray(image.data_to_world(at))[skip:]
        )
        for at in ((0,) * image.ndim, (0, 0, 40, 50)[-image.ndim :])
    )


@pytest.fixture
def layers(viewer, widget, panel, predict, qtbot):
    """Add an image and all kinds of labels over it; return the image and these."""

    def add(pixels, **where):
        image = viewer.add_image(pixels, name="field", **where)
        predict()
        annotate(panel, qtbot)
        with qtbot.wait_signal(widget.objects_panel._correction.shown):
            widget.objects_panel.correct.click()
        return image, viewer.layers[1:]

    return add


@pytest.mark.parametrize("name", CHANGES)
def test_labels_follow_their_image(viewer, layers, blobs, name):
    image, over = layers(blobs, scale=(1, 3))
    assert {layer.name for layer in over} >= {
        "field semantic",
        "field instances",
        "field scribbles",
        "field objects",
    }
    setattr(image, name, CHANGES[name])
    assert all(in_place(layer, image) for layer in over)


def test_labels_without_the_channels_follow_a_stack(viewer, layers, blobs):
    # Two channels of five slices: labels have three axes.
    image, over = layers(np.stack([np.stack([blobs] * 5)] * 2))
    image.scale = (1, 4, 2, 2)
    image.translate = (0, 9, 1, 2)
    image.shear = (0, 0, 0, 0, 0, 0.5)
    assert {layer.ndim for layer in over} == {3}
    assert all(in_place(layer, image) for layer in over)


def test_a_stroke_is_painted_where_the_mouse_is_after_a_move(
    viewer, painted, mouse, qtbot
):
    image, layer = painted
    before = layer.data.copy()
    image.target.layer.scale = (2, 2)
    image.target.layer.translate = (100, 200)
    viewer.reset_view()
    viewer.layers.selection.active = layer
    mouse.draw((40, 40), (40, 50))
    qtbot.wait_until(lambda: same(image, layer))
    assert layer.data[40, 45] == FIRST
    assert image.target.layer.world_to_data(layer.data_to_world((40, 45)))[0] == 40
    assert (layer.data != before).sum() > 20


def test_a_layer_that_was_moved_to_another_layer_of_the_image_follows_that(
    viewer, annotations, painted, qtbot, blobs
):
    image, layer = painted
    viewer.layers.remove("field")
    again = viewer.add_image(blobs.copy(), name="again", scale=(3, 3))
    qtbot.wait_until(lambda: annotations.of(again) is image)
    assert in_place(layer, again)
    again.translate = (4, 5)
    assert in_place(layer, again)
