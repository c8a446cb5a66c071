"""Channels, slices and axes of the chosen image."""

import numpy as np
import pytest
import tifffile


def test_channels_and_slices_are_offered_where_there_are_any(viewer, widget, blobs):
    panel = widget.image_panel
    viewer.add_image(blobs, name="plain")
    assert not panel.channels.box.isVisible()
    assert not panel.slices.isVisible()

    viewer.add_image(np.zeros((20, 30, 4), np.uint8), rgb=True, name="colour")
    assert [panel.channels.box.itemText(i) for i in range(4)] == [
        "All colours",
        "Red",
        "Green",
        "Blue",
    ]
    assert panel.channels.seen == ()

    viewer.add_image(np.zeros((3, 20, 30)), axis_labels=("c", "y", "x"))
    assert panel.channels.seen == (0,)

    viewer.add_image(np.zeros((5, 7, 20, 30)), axis_labels=("t", "z", "y", "x"))
    assert not panel.channels.box.isVisible()
    assert panel.slices.isVisible()
    assert panel.slices.itemText(1) == "All 35 slices"
    assert not panel.note.isVisible()


def test_each_image_keeps_its_channel(viewer, widget):
    panel, subjects = widget.image_panel, widget.session.live.subjects
    images = []
    for name in "ab":
        images.append(viewer.add_image(np.zeros((2, 20, 30)), name=name))
        viewer.layers.selection.active = images[-1]
        viewer.dims.axis_labels = ("c", "y", "x")
    viewer.layers.selection.active = images[0]
    viewer.dims.set_current_step(0, 0)
    panel.channels.box.setCurrentText("Channel 1")
    for image, channel in ((images[1], 0), (images[0], 1)):
        viewer.layers.selection.active = image
        assert panel.layer is image
        assert panel.channels.seen == (channel,)
        target = widget.image_panel.target()
        assert subjects.of(target).channels == (channel,)
    panel.channels.box.setCurrentText("All channels")
    assert panel.channels.seen == ()


def test_the_channel_on_screen_is_seen_until_another_is_chosen(viewer, widget):
    panel, subjects = widget.image_panel, widget.session.live.subjects
    for name in ("many", "others"):
        viewer.add_image(np.zeros((4, 20, 30)), axis_labels="cyx", name=name)
    shown = viewer.dims.current_step[0]
    assert shown, "napari opens a stack in the middle"
    for channel in (shown, 3, 0, 2):
        viewer.dims.set_current_step(0, channel)
        assert panel.channels.seen == (channel,)
        assert subjects.of(panel.target()).channels == (channel,)
    panel.channels.box.setCurrentText("Channel 1")
    viewer.dims.set_current_step(0, 3)
    assert panel.channels.seen == (1,)
    viewer.layers.selection.active = viewer.layers["many"]
    assert panel.channels.seen == (3,)


def test_guessed_axes_are_said_and_can_be_named(viewer, widget):
    panel = widget.image_panel
    viewer.add_image(np.zeros((3, 20, 30)))
    assert "taken as" in panel.note.text()
    names = [panel.channels.box.itemText(i) for i in range(1, 4)]
    assert names == ["Channel 0", "Channel 1", "Channel 2"]

    # napari keeps names of the images before.
    viewer.dims.axis_labels = (viewer.dims.axis_labels[0], "y", "x")
    assert "taken as" in panel.note.text()
    viewer.dims.axis_labels = ("z", *viewer.dims.axis_labels[1:])
    assert panel.note.text() == ""
    assert panel.slices.itemText(1) == "All 3 slices"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["ImageJ", "OME", "OME-Zarr"])
def test_axes_that_a_file_names_are_not_guessed(viewer, widget, tmp_path, kind):
    data = np.random.default_rng(0).integers(0, 99, (2, 2, 3, 40, 30)).astype(np.uint16)
    path = tmp_path / ("film.zarr" if kind == "OME-Zarr" else "film.tif")
    if kind == "OME-Zarr":
        from ome_zarr.writer import write_image

        write_image(data, str(path), axes="tczyx", scale_factors=())
    elif kind == "OME":
        tifffile.imwrite(path, data, ome=True, metadata={"axes": "TCZYX"})
    else:
        of_imagej = data.swapaxes(1, 2)
        tifffile.imwrite(path, of_imagej, imagej=True, metadata={"axes": "TZCYX"})
    image = viewer.open(path, plugin="napari")[0]
    shown = widget.session.target(image).image
    assert shown.sizes == {"T": 2, "C": 2, "Z": 3, "Y": 40, "X": 30}
    assert not widget.image_panel.note.isVisible()
    assert widget.image_panel.channels.box.count() == 3
    # What the user calls them goes first.
    viewer.dims.axis_labels = ("z", "t", "c", "y", "x")
    assert widget.session.target(image).image.axes == "ZTCYX"


def test_slice_on_screen(viewer, widget):
    viewer.add_image(np.zeros((5, 7, 20, 30)), scale=(2, 3, 1, 1))
    viewer.dims.set_current_step(0, 4)
    viewer.dims.set_current_step(1, 2)
    image = widget.image_panel.target().image
    assert [tuple(p.values()) for p in widget.image_panel.planes(image)] == [(4, 2)]
