"""Next shows where the model is least sure."""

import dask.array as da
import numpy as np
import pytest
from gui_annotate import annotate
from gui_live import save_small_model

from napari_unet.errors import ImageError
from napari_unet.gui.image.screen import camera_of, is_flat, region_on_screen
from napari_unet.images import Region


@pytest.mark.parametrize("view", ["flat", "from the side", "3-D"])
def test_next_shows_rows_and_columns_of_the_place(
    viewer, widget, annotations, blobs, qtbot, tmp_path, view
):
    save_small_model(tmp_path / "small")
    widget.prediction_panel.models.choose_folder(tmp_path / "small")
    stack = np.stack([blobs] * 12)
    image = viewer.add_image(stack, name="field", axis_labels=("z", "y", "x"))
    viewer.dims.set_current_step(0, 7)
    if view == "from the side":
        viewer.dims.order = (1, 0, 2)
    viewer.dims.ndisplay = 3 if view == "3-D" else 2
    with qtbot.wait_signal(widget.live_panel.next.found, timeout=60_000) as found:
        widget.live_panel.train.next.click()
    assert "Least sure here" in found.args[0]
    target = widget.session.target(image)
    assert is_flat(viewer, target)
    viewer.screenshot(flash=False)
    region = region_on_screen(viewer, target, 8)
    assert region.plane == {"Z": int(viewer.dims.point[0])}
    assert viewer.dims.displayed == (1, 2)
    assert 0 <= camera_of(viewer).center[-2] <= blobs.shape[0]
    assert 0 <= camera_of(viewer).center[-1] <= blobs.shape[1]


def test_a_pyramid_is_on_screen_to_its_last_row(viewer, widget, qtbot):
    data = np.zeros((1000, 1000), np.uint8)
    scales = [data, data[::8, ::8]]
    image = viewer.add_image(scales, multiscale=True, contrast_limits=(0, 1))
    camera_of(viewer).zoom = 0.1
    qtbot.wait_until(lambda: image.data_level == 1)
    target = widget.session.target(image)
    qtbot.wait_until(
        lambda: region_on_screen(viewer, target, 1000) == Region(0, 0, 1000, 1000)
    )


def test_of_a_pyramid_that_is_seen_from_near_no_more_is_on_screen(
    viewer, widget, mouse, qtbot
):
    """napari keeps a larger part of it loaded."""
    data = np.zeros((2000, 2000), np.uint8)
    image = viewer.add_image([data, data[::8, ::8]], contrast_limits=(0, 1))
    camera = camera_of(viewer)
    camera.zoom = 1
    qtbot.wait_until(lambda: image.data_level == 0)
    camera.zoom, camera.center = 8, (0, 900, 1100)
    viewer.screenshot(flash=False)
    region = region_on_screen(viewer, widget.session.target(image), 2000)
    middle = (region.y0 + region.y1) / 2, (region.x0 + region.x1) / 2
    size = mouse.canvas.height() / 8, mouse.canvas.width() / 8
    assert middle == pytest.approx((900, 1100), abs=2)
    assert region.shape == pytest.approx(size, abs=3)
    camera.center = (0, 9000, 1100)
    viewer.screenshot(flash=False)
    with pytest.raises(ImageError, match="not in sight"):
        region_on_screen(viewer, widget.session.target(image), 2000)


def test_next_without_an_image_says_so(widget):
    widget.live_panel.train.next.click()
    assert widget.live_panel.train.verdict.text().startswith("There is no image")


def test_next_says_that_it_failed(viewer, widget, annotations, blobs, notified, qtbot):
    """It would be looked for what never comes."""
    ill = False

    def pixels(block):
        # A row where there should be rows.
        return block[0] if ill else block

    data = da.from_array(blobs).map_blocks(pixels, dtype=blobs.dtype)
    viewer.add_image(data, name="field", contrast_limits=(0, 4000))
    ill = True
    with qtbot.wait_signal(widget.live_panel.next.found):
        widget.live_panel.train.next.click()
    assert "failed" in widget.live_panel.train.verdict.text()
    assert any("axes don't match array" in text for text in notified)
    ill = False


def test_next_passes_over_images_that_the_model_cannot_see(
    viewer, widget, annotations, blobs, qtbot
):
    viewer.add_image(np.stack([blobs] * 3, axis=-1), rgb=True, name="colour")
    annotate(widget.annotate_panel, qtbot).scribbles.paint((10, 15), 2)
    annotations.flush()
    found = widget.live_panel.next.found
    widget.live_panel.train.next.click()
    assert "the model takes 1" in widget.live_panel.train.verdict.text()
    viewer.add_image(blobs, name="grey", translate=(0, 100))
    with qtbot.wait_signal(found) as line:
        widget.live_panel.train.next.click()
    assert "Least sure here in 'grey'" in line.args[0]


def test_next_comes_near_enough_to_paint(viewer, widget, annotations, blobs, qtbot):
    large = np.tile(blobs, (30, 20))
    viewer.add_image(large, name="slide", scale=(0.5, 0.5))
    camera_of(viewer).zoom = 0.1
    with qtbot.wait_signal(widget.live_panel.next.found):
        widget.live_panel.train.next.click()
    assert camera_of(viewer).zoom * 0.5 == pytest.approx(1)
    # Who is nearer already stays so.
    camera_of(viewer).zoom = 7
    with qtbot.wait_signal(widget.live_panel.next.found):
        widget.live_panel.train.next.click()
    assert camera_of(viewer).zoom == 7


def test_next_pressed_again_goes_where_the_later_search_says(
    viewer, widget, annotations, blobs, qtbot
):
    first = viewer.add_image(blobs, name="first")
    second = viewer.add_image(blobs, name="second", translate=(0, 100))
    lines = []
    widget.live_panel.next.found.connect(lines.append)
    for layer in (first, second):
        viewer.layers.selection.active = layer
        widget.live_panel.train.next.click()
    qtbot.wait_until(lambda: bool(lines))
    # An answer to the first one would have come before.
    (line,) = lines
    assert "in 'second'" in line
    assert viewer.layers.selection.active is second


def test_next_goes_elsewhere_until_all_places_were_shown(
    viewer, widget, annotations, blobs, qtbot
):
    viewer.add_image(np.tile(blobs, (5, 6)), name="field")
    places = []
    for _ in range(8):
        with qtbot.wait_signal(widget.live_panel.next.found):
            widget.live_panel.train.next.click()
        places.append(camera_of(viewer).center[-2:])
    assert len(set(places[:4])) == 4
    assert set(places[4:]) == set(places[:4])


def test_next_shows_what_is_hidden(viewer, widget, annotations, blobs, qtbot):
    image = viewer.add_image(blobs, name="field")
    scribbles = annotate(widget.annotate_panel, qtbot).scribbles
    image.visible = scribbles.visible = False
    with qtbot.wait_signal(widget.live_panel.next.found):
        widget.live_panel.train.next.click()
    assert image.visible and scribbles.visible
