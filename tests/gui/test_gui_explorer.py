"""The model explorer: a net drawn, explained, and looked into."""

import json
import shutil
from itertools import combinations

import numpy as np
import pytest
from gui_wait import settled
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QGraphicsSimpleTextItem

from napari_unet.gui.explore.explorer import ModelExplorer
from napari_unet.gui.predict.recent import remember_model
from napari_unet.gui.session import session_of


@pytest.fixture
def explorer(viewer, model, engine):
    session_of(viewer).engine = engine
    remember_model(model)
    explorer = ModelExplorer(viewer)
    viewer.window.add_dock_widget(explorer, name="Model explorer")
    viewer.show()
    return explorer


def choose(explorer, name):
    explorer.nets.setCurrentIndex(explorer.nets.findData(str(name)))


def over(explorer, place):
    """Return where on screen a block is."""
    item = explorer.view.boxes[place]
    return explorer.view.mapFromScene(item.sceneBoundingRect().center())


def place_of(item, view):
    """Return where on screen the top left of a block is."""
    at = view.mapFromScene(item.sceneBoundingRect().topLeft())
    return at.x(), at.y()


def hover(explorer, place):
    """Move the mouse over a block, as Qt tells a widget that it has moved."""
    viewport, at = explorer.view.viewport(), over(explorer, place)
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        none,
        none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, moved)


def click(explorer, qtbot, place):
    with qtbot.wait_signal(explorer.shown):
        qtbot.mouseClick(
            explorer.view.viewport(),
            Qt.MouseButton.LeftButton,
            pos=over(explorer, place),
        )


def in_image(image, maps, y, x):
    """Return where in an image a pixel of maps is."""
    return image.world_to_data(maps.data_to_world((0, y, x))[-2:])


def test_the_net_of_the_paper_is_drawn(explorer):
    choose(explorer, "unet-2015")
    explorer.height_box.setValue(572)
    explorer.width_box.setValue(572)
    assert len(explorer.view.boxes) == 32
    assert "572x572x1 → 388x388x2" in explorer.totals.text()
    assert "31,030,658 parameters" in explorer.totals.text()


def test_in_a_small_dock_the_net_is_scrolled(explorer, viewer, widget, qtbot):
    viewer.window.resize(1100, 720)
    choose(explorer, "unet")
    # Two numbers for a size make it wider.
    explorer.width_box.setValue(512)
    view = explorer.view
    qtbot.wait_until(lambda: view.horizontalScrollBar().maximum() > 0)
    assert view.transform().m11() >= 0.75
    first, last = view.boxes[0], view.boxes[-1]
    seen = view.viewport().rect()
    assert seen.contains(over(explorer, 0))
    assert not seen.contains(over(explorer, len(view.boxes) - 1))
    view.ensureVisible(last)
    at = settled(lambda: place_of(last, view))
    hover(explorer, len(view.boxes) - 1)
    assert last.box.step.layer in explorer.text.text()
    assert first.box.step.layer not in explorer.text.text()
    # However many lines the text has.
    assert settled(lambda: place_of(last, view)) == at
    viewer.window.resize(1100, 700)
    assert settled(lambda: seen.contains(over(explorer, len(view.boxes) - 1)))


def test_most_of_the_window_is_the_image_s(explorer, viewer):
    size = explorer.screen().availableSize()
    viewer.window.resize(size.width(), size.height())
    wide = settled(explorer.width)
    assert viewer.window._qt_viewer.canvas.native.width() > wide


@pytest.mark.parametrize("size", [(571, 256), (1024, 2048), (2048, 2048)])
def test_sizes_of_blocks_do_not_run_into_each_other(explorer, size):
    choose(explorer, "unet")
    explorer.height_box.setValue(size[0])
    explorer.width_box.setValue(size[1])
    sides = {item.box.side for item in explorer.view.boxes}
    texts = [
        item.sceneBoundingRect()
        for item in explorer.view.items()
        if isinstance(item, QGraphicsSimpleTextItem) and item.text() in sides
    ]
    assert len(texts) >= len(explorer.view.boxes)
    assert not any(a.intersects(b) for a, b in combinations(texts, 2))


def test_checkpoints_are_told_apart(viewer, model, engine, tmp_path):
    for name in ("cells", "nuclei"):
        folder = tmp_path / name / "step-000020"
        shutil.copytree(model, folder)
        said = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**said, "name": name}))
        remember_model(folder)
    session_of(viewer).engine = engine
    explorer = ModelExplorer(viewer)
    viewer.window.add_dock_widget(explorer, name="Model explorer")
    nets = [explorer.nets.itemText(i) for i in range(explorer.nets.count())]
    assert {f"Model: {n} (step-000020)" for n in ("cells", "nuclei")} <= set(nets)


def test_what_does_not_fit_is_shown(explorer):
    choose(explorer, "unet-2015")
    explorer.height_box.setValue(571)
    explorer.width_box.setValue(572)
    assert len(explorer.view.boxes) == 3
    said = explorer.totals.text()
    assert "cannot be halved" in said and "556, 572" in said


def test_a_block_explains_itself(explorer, qtbot):
    choose(explorer, "fcn-8s")
    explorer.show()
    hover(explorer, 3)
    assert "max pooling: 128x128x32" in explorer.text.text()


def test_a_click_shows_the_maps_where_they_are(
    explorer, viewer, widget, model, blobs, qtbot
):
    image = viewer.add_image(
        blobs,
        name="cells",
        scale=(0.5, 0.5),
        translate=(3, 4),
        rotate=20,
        units=("um", "um"),
    )
    choose(explorer, model)
    explorer.height_box.setValue(40)
    explorer.width_box.setValue(100)
    places = {item.box.step.layer: item.box.place for item in explorer.view.boxes}

    click(explorer, qtbot, places["down.0.3"])
    layer = viewer.layers["down.0.3 maps"]
    assert layer.data.shape == (2, 40, 100)
    # The first map of this model is the image itself, between 0 and 1.
    y, x = np.round(in_image(image, layer, 0, 0)).astype(int)
    shown = blobs[y : y + 40, x : x + 80] > 2000
    np.testing.assert_array_equal(layer.data[0, :, :80] > 0.5, shown)

    np.testing.assert_allclose(in_image(image, layer, 7, 9), (y + 7, x + 9))
    assert layer.units[1:] == image.units

    # They are nothing to segment.
    panel = widget.image_panel
    assert panel.layer is image

    click(explorer, qtbot, places["down.1.0"])
    assert "down.0.3 maps" not in viewer.layers
    deep = viewer.layers["down.1.0 maps"]
    assert deep.data.shape == (2, 20, 50)
    corner, right = (in_image(image, deep, 0, at) for at in (0, 10))
    np.testing.assert_allclose(corner % 1, 0.5)
    np.testing.assert_allclose(right - corner, (0, 20), atol=1e-9)


def test_maps_of_a_stack_have_its_units(
    explorer, viewer, widget, model, blobs, qtbot, notified
):
    viewer.add_image(
        np.stack([blobs] * 12), name="stack", scale=(4, 0.5, 0.5), units=("um",) * 3
    )
    choose(explorer, model)
    click(explorer, qtbot, 1)
    assert any("maps" in layer.name for layer in viewer.layers)
    viewer.screenshot(flash=False)
    assert not notified


def test_the_maps_are_of_the_image_and_the_channel_that_models_see(
    explorer, viewer, widget, model, blobs, qtbot
):
    viewer.add_image(255 - blobs // 20, name="other")
    viewer.add_image(np.stack([255 - blobs // 20, blobs]), name="two")
    widget.image_panel.channels.box.setCurrentText("Channel 1")
    choose(explorer, model)
    explorer.height_box.setValue(60)
    explorer.width_box.setValue(80)
    # Also with the second click, when the maps of the first one are the active layer.
    for _ in range(2):
        click(explorer, qtbot, 1)
        (maps,) = (x for x in viewer.layers if x.name.endswith(" maps"))
        np.testing.assert_array_equal(maps.data[0] > 0.5, blobs > 2000)


def test_rows_and_columns_may_be_any_of_the_last_axes(
    explorer, viewer, widget, model, blobs, qtbot, notified
):
    channels = np.stack([255 - blobs // 20, blobs], axis=-1)
    image = viewer.add_image(channels, name="two", rgb=False, scale=(0.5, 2, 1))
    viewer.dims.order = (2, 0, 1)
    viewer.reset_view()
    widget.image_panel.channels.box.setCurrentText("Channel 1")
    choose(explorer, model)
    explorer.height_box.setValue(40)
    explorer.width_box.setValue(50)
    click(explorer, qtbot, 1)
    (maps,) = (x for x in viewer.layers if x.name.endswith(" maps"))
    assert maps.data.shape[:2] == (40, 50)
    y, x, _ = np.round(image.world_to_data(maps.data_to_world((0, 0, 0)))).astype(int)
    assert (y, x) == pytest.approx((10, 15), abs=1)
    shown = blobs[y : y + 40, x : x + 50] > 2000
    np.testing.assert_array_equal(maps.data[..., 0] > 0.5, shown)
    viewer.screenshot(flash=False)
    assert not notified
    viewer.layers.clear()
    viewer.add_image(
        np.ones((5, 60, 80, 6, 7), np.uint16),
        name="aside",
        axis_labels=("t", "y", "x", "z", "c"),
    )
    click(explorer, qtbot, 1)
    assert "not among its last three axes" in explorer.text.text()


def test_without_an_image_or_a_model_it_says_so(explorer, viewer, model, qtbot):
    choose(explorer, model)
    click(explorer, qtbot, 1)
    assert "Open an image" in explorer.text.text()
    choose(explorer, "unet")
    click(explorer, qtbot, 1)
    assert "Choose a trained model" in explorer.text.text()
