import subprocess
import sys
import time

import numpy as np
import pytest
from gui_annotate import annotate
from gui_wait import settled
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap

from napari_unet.gui.image.target import MARK

SQUARES = 4


def test_predict_puts_two_layers_over_the_image(viewer, widget, predict, blobs):
    image = viewer.add_image(
        blobs,
        name="field",
        scale=(0.5, 0.25),
        translate=(10, 20),
        rotate=15,
        units=("um", "um"),
        axis_labels=("y", "x"),
    )

    said = predict()

    assert [layer.name for layer in viewer.layers] == [
        "field",
        "field semantic",
        "field instances",
    ]
    semantic, instances = viewer.layers[1:]
    for layer in (semantic, instances):
        assert isinstance(layer, Labels)
        np.testing.assert_array_equal(layer.scale, image.scale)
        np.testing.assert_array_equal(layer.translate, image.translate)
        np.testing.assert_allclose(layer.rotate, image.rotate)
        assert layer.units == image.units
        assert layer.axis_labels == image.axis_labels
    np.testing.assert_array_equal(semantic.data, blobs > 2000)
    np.testing.assert_array_equal(instances.data > 0, blobs > 2000)
    assert instances.data.max() == SQUARES
    assert said.startswith("4 objects in ")
    assert viewer.layers.selection == {image}


def test_colours_show_classes_and_one_colour_a_cell(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    predict()
    semantic, instances = viewer.layers[1:]

    assert isinstance(semantic.colormap, DirectLabelColormap)
    assert semantic.get_color(0) is None
    assert semantic.get_color(99)[3] == 0
    np.testing.assert_allclose(
        semantic.get_color(1)[:3], np.array([0x56, 0xB4, 0xE9]) / 255, atol=0.01
    )
    assert isinstance(instances.colormap, CyclicLabelColormap)
    colours = {tuple(instances.get_color(i)) for i in range(1, SQUARES + 1)}
    assert len(colours) == SQUARES


def test_predictions_lie_below_what_is_drawn(
    viewer, widget, panel, predict, blobs, qtbot
):
    image = viewer.add_image(blobs, name="field")
    annotate(panel, qtbot)
    widget.objects_panel.correct.click()
    viewer.add_image(blobs, name="other")
    predict()
    viewer.layers.selection.active = image
    predict()
    assert [layer.name for layer in viewer.layers] == [
        *("field", "field semantic", "field instances"),
        *("field scribbles", "field objects"),
        *("other", "other semantic", "other instances"),
    ]
    assert viewer.layers.selection.active is image


def test_what_is_drawn_follows_the_data(viewer, widget, predict, blobs):
    image = viewer.add_image(blobs, name="field", visible=False)
    predict()
    image.data = np.roll(blobs, 20, axis=1)
    before = viewer.screenshot(flash=False)
    predict()
    after = viewer.screenshot(flash=False)
    assert (before != after).any()


def test_second_prediction_updates_in_place(viewer, widget, predict, blobs):
    image = viewer.add_image(blobs, name="field")
    predict()
    before = list(viewer.layers)
    arrays = [layer.data for layer in before[1:]]

    image.data = blobs[::-1].copy()
    predict()

    assert list(viewer.layers) == before
    assert all(layer.data is a for layer, a in zip(before[1:], arrays, strict=True))
    np.testing.assert_array_equal(before[1].data, blobs[::-1] > 2000)


def test_removed_results_come_back(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    predict()
    removed = viewer.layers["field instances"]
    viewer.layers.remove(removed)
    predict()
    assert viewer.layers["field instances"] is not removed
    assert len(viewer.layers) == 3


def test_results_of_another_size_are_new_layers(viewer, widget, predict, blobs):
    image = viewer.add_image(blobs, name="field")
    predict()
    image.data = blobs[:30]
    predict()
    assert [x.data.shape for x in viewer.layers[-2:]] == [(30, 80), (30, 80)]


def test_a_layer_of_the_user_with_that_name_is_left_alone(
    viewer, widget, predict, blobs
):
    viewer.add_image(blobs, name="field")
    theirs = viewer.add_labels(np.full((60, 80), 7), name="field semantic")
    predict()
    assert (theirs.data == 7).all()
    assert MARK not in theirs.metadata
    assert len(viewer.layers) == 4


def test_a_result_that_was_painted_on_becomes_the_users(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    predict()
    painted = viewer.layers["field instances"]
    painted.paint((0, 0), 99)
    predict()
    assert painted.data[0, 0] == 99
    assert len(viewer.layers) == 4
    assert viewer.layers[-1].data[0, 0] == 0


def in_dask(image):
    import dask.array

    return dask.array.from_array(image, chunks=32)


def in_zarr(image):
    import zarr

    return zarr.array(image, chunks=(32, 32))


def test_whatever_holds_the_pixels(viewer, widget, predict, blobs):
    held = {
        "dask": in_dask(blobs),
        "zarr": in_zarr(blobs),
        "pyramid": [blobs, blobs[::2, ::2]],
        "big-endian": blobs.astype(">u2"),
        "strided": blobs[::-1, ::-1].copy()[::-1, ::-1],
        "nan": np.where(np.arange(80) == 0, np.nan, blobs / 7),
        "bool": blobs > 2000,
    }
    for name, data in held.items():
        viewer.add_image(data, name=name)
        predict()
        found = viewer.layers[f"{name} semantic"].data
        np.testing.assert_array_equal(found, blobs > 2000, err_msg=name)


@pytest.mark.parametrize(
    ("axes", "choice", "line"),
    [
        ("zyx", "one", f"{SQUARES} objects in"),
        ("zyx", "all", f"{3 * SQUARES} objects in"),
        ("tyx", "all", f"{3 * SQUARES} objects, counted in each of 6 slices, in"),
    ],
)
def test_slices_of_a_stack(viewer, widget, predict, blobs, axes, choice, line):
    stack = np.stack([np.full_like(blobs, 100)] * 6)
    stack[1::2] = blobs
    image = viewer.add_image(stack, name="stack", scale=(2, 0.5, 0.5), axis_labels=axes)
    viewer.dims.set_current_step(0, 3)
    slices = widget.image_panel.slices
    slices.setCurrentIndex(slices.findData(choice))

    said = predict()

    semantic, instances = viewer.layers[1:]
    expected = stack > 2000
    if choice == "one":
        expected[[1, 5]] = False
    np.testing.assert_array_equal(semantic.data, expected)
    np.testing.assert_array_equal(instances.data > 0, expected)
    np.testing.assert_array_equal(semantic.scale, image.scale)
    assert said.startswith(line)


def test_an_object_has_one_colour_through_a_stack(viewer, widget, predict, blobs):
    viewer.add_image(np.stack([blobs] * 4), name="stack", axis_labels="zyx")
    widget.image_panel.slices.setCurrentIndex(1)
    assert predict().startswith(f"{SQUARES} objects in")
    instances = viewer.layers["stack instances"].data
    assert instances.max() == SQUARES
    assert (instances == instances[0]).all()


def test_one_channel_of_a_colour_image(viewer, widget, predict, blobs):
    rgb = np.zeros((*blobs.shape, 3), np.uint8)
    rgb[..., 1] = blobs // 20
    viewer.add_image(rgb, name="colour", rgb=True)
    widget.image_panel.channels.box.setCurrentText("Green")
    predict()
    np.testing.assert_array_equal(viewer.layers[1].data, blobs > 2000)


@pytest.mark.parametrize("axes", ["cyx", "zcyx"])
def test_one_channel_of_several(viewer, widget, predict, blobs, axes):
    image = np.zeros((3, *blobs.shape), np.uint16)
    image[2] = blobs
    if axes == "zcyx":
        image = np.stack([image] * 5)
    viewer.add_image(
        image, name="many", channel_axis=None, axis_labels=axes, scale=[3] * len(axes)
    )
    widget.image_panel.channels.box.setCurrentText("Channel 2")
    widget.image_panel.slices.setCurrentIndex(1)
    predict()
    labels = viewer.layers["many semantic"]
    expected = blobs > 2000
    assert labels.ndim == (2 if axes == "cyx" else 4)
    np.testing.assert_array_equal(
        labels.data, np.broadcast_to(expected, labels.data.shape)
    )
    assert set(labels.scale) == {3}


def test_objects_can_be_left_out(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    widget.prediction_panel.controls.form.set("instances", "none")
    predict()
    assert [layer.name for layer in viewer.layers] == ["field", "field semantic"]


def test_classes_only_take_away_the_objects_of_the_slice(
    viewer, widget, predict, blobs
):
    viewer.add_image(np.stack([blobs] * 3), name="field", axis_labels=("t", "y", "x"))
    widget.image_panel.slices.setCurrentIndex(1)
    predict()
    viewer.dims.set_current_step(0, 1)
    widget.image_panel.slices.setCurrentIndex(0)
    form = widget.prediction_panel.controls.form
    form.set("instances", "none")
    predict()
    instances = viewer.layers["field instances"]
    assert [plane.max() > 0 for plane in instances.data] == [True, False, True]
    form.set("instances", "watershed")
    predict()
    assert instances.data.any(axis=(1, 2)).all()


def test_classes_only_spare_what_was_painted_on(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    predict()
    painted = viewer.layers["field instances"]
    painted.paint((25, 40), 9)
    before = painted.data.copy()
    widget.prediction_panel.controls.form.set("instances", "none")
    predict()
    np.testing.assert_array_equal(painted.data, before)
    assert len(viewer.layers) == 3


def test_small_objects_are_left_out(viewer, widget, predict, blobs):
    blobs[50:53, 0:3] = 4000
    viewer.add_image(blobs, name="field")
    assert predict().startswith("4 objects")
    widget.prediction_panel.controls.form.set("min_size", 0)
    assert predict().startswith("5 objects")


def test_legend_names_the_classes(viewer, widget, predict, blobs):
    from qtpy.QtWidgets import QLabel

    viewer.add_image(blobs, name="field")
    predict()
    names = {
        label.text() for label in widget.prediction_panel.legend.findChildren(QLabel)
    }
    assert "cell" in names


def test_what_was_found_is_said_of_its_image_only(viewer, widget, predict, blobs):
    viewer.add_image(blobs, name="field")
    assert "objects" in predict()
    viewer.add_image(blobs, name="other")
    assert widget.prediction_panel.controls.status.text() == ""


def test_the_command_predicts(viewer, widget, qtbot, blobs):
    from napari_unet.gui.commands import predict

    viewer.add_image(blobs, name="field")
    with qtbot.wait_signal(widget.prediction_panel.ended):
        predict()
    assert len(viewer.layers) == 3


def test_a_prediction_is_drawn_once(viewer, widget, predict, blobs, qtbot):
    viewer.add_image(blobs, name="field")
    predict()
    # napari draws these as they are; more bits it would colour first.
    layers = viewer.layers[1:]
    assert [layer.data.dtype for layer in layers] == [np.uint8, np.uint16]
    drawn = []
    for layer in layers:
        layer.data[...] = 0
        layer.refresh()
        layer.events.set_data.connect(lambda event: drawn.append(event.source))
    empty = layers[1].thumbnail.copy()
    predict()
    assert drawn == layers
    assert (layers[1].thumbnail != empty).any()


def test_a_film_is_not_drawn_slice_by_slice(viewer, widget, predict, blobs):
    film = np.stack([np.roll(blobs, t, axis=0) for t in range(200)])
    viewer.add_image(film, name="film", axis_labels="tyx")
    predict()
    semantic, instances = viewer.layers[1:]
    drawn = []
    instances.events.set_data.connect(lambda event: drawn.append(event))
    widget.image_panel.slices.setCurrentIndex(1)
    viewer.dims.set_current_step(0, 100)
    drawn.clear()
    begin = time.monotonic()
    predict()
    assert len(drawn) <= 10 * (time.monotonic() - begin) + 2
    np.testing.assert_array_equal(semantic.data, film > 2000)
    before = settled(lambda: viewer.screenshot(flash=False))
    instances.refresh()
    after = settled(lambda: viewer.screenshot(flash=False))
    np.testing.assert_array_equal(before, after)


def test_ids_may_be_higher_than_the_layer_holds(viewer, widget, blobs):
    from napari_unet.gui.predict.exchange import PlaneLabels
    from napari_unet.gui.predict.results import narrow

    image = viewer.add_image(np.stack([blobs] * 5), name="field")
    target, results = widget.session.target(image), widget.session.results_of(image)
    classes = widget.session.annotations.scheme
    few = (blobs > 2000).astype(np.uint32)
    many = few * 70_000
    for z, ids in enumerate((few, many, few)):
        labels = PlaneLabels({"Z": z}, few.astype(np.uint8), narrow(ids))
        results.write(viewer, target, labels, classes)
    results.draw()
    layer = viewer.layers["field instances"]
    assert [layer.data[z].max() for z in range(5)] == [1, 70_000, 1, 0, 0]
    layer.undo()
    assert layer.data.max() == 70_000
    viewer.dims.set_current_step(0, 1)
    before = settled(lambda: viewer.screenshot(flash=False))
    layer.refresh()
    after = settled(lambda: viewer.screenshot(flash=False))
    np.testing.assert_array_equal(before, after)


PREDICT_AND_REMOVE = """
import gc
import sys
import time
import weakref
import napari
import numpy as np
from napari_unet.gui.widget import UnetWidget
from qtpy.QtTest import QTest

viewer = napari.Viewer()
widget = UnetWidget(viewer)
viewer.window.add_dock_widget(widget, name="U-Net")
panel = widget.prediction_panel
panel.models.choose_folder(sys.argv[1])
viewer.add_image(np.zeros((60, 80)), name="stays")
viewer.add_image(np.ones((60, 80)), name="goes")
ended = []
panel.ended.connect(ended.append)
panel.controls.predict.click()
while not ended:
    QTest.qWait(10)
pixels = [weakref.ref(layer.data) for layer in viewer.layers[2:]]
assert len(pixels) == 2, ended
for name in ("goes instances", "goes semantic", "goes"):
    viewer.layers.remove(name)
end = time.monotonic() + 60
while any(there() is not None for there in pixels):
    assert time.monotonic() < end, "not let go"
    QTest.qWait(50)
    gc.collect()
"""


def test_what_is_removed_is_let_go(model):
    ended = subprocess.run(
        [sys.executable, "-c", PREDICT_AND_REMOVE, model],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stderr
