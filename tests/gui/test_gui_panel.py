"""The panel follows the layers, and finds everything when it is opened again."""

import numpy as np

from napari_unet.gui.widget import UnetWidget


def test_image_choice_follows_the_layers(viewer, widget, blobs):
    box = widget.image_panel.images
    first = viewer.add_image(blobs, name="first")
    second = viewer.add_image(blobs, name="second")
    viewer.add_labels(np.zeros((60, 80), int))
    assert [box.itemText(i) for i in range(box.count())] == ["first", "second"]
    assert widget.image_panel.layer is second

    viewer.layers.selection.active = first
    assert widget.image_panel.layer is first
    first.name = "renamed"
    assert box.currentText() == "renamed"
    viewer.layers.remove(first)
    assert widget.image_panel.layer is second


def test_device_is_shown(widget, qtbot):
    qtbot.wait_until(
        lambda: widget.prediction_panel.models.device.text().startswith("Runs on")
    )


def test_reopened_panel_finds_the_results(viewer, widget, predict, blobs, qtbot, model):
    viewer.add_image(blobs, name="field")
    predict()
    layers = list(viewer.layers)
    for result in layers[1:]:
        result.data[...] = 0
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    again = UnetWidget(viewer)
    viewer.window.add_dock_widget(again, name="U-Net")
    again.prediction_panel.models.choose_folder(model)
    with qtbot.wait_signal(again.prediction_panel.ended):
        again.prediction_panel.controls.predict.click()
    assert list(viewer.layers) == layers
    assert all(result.data.any() for result in layers[1:])


def test_reopened_panel_goes_on_correcting(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="cells")
    predict()
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    assert widget.objects_panel.buttons["merge"].isEnabled()
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    again = UnetWidget(viewer)
    viewer.window.add_dock_widget(again, name="U-Net")
    assert again.objects_panel.buttons["merge"].isEnabled()
