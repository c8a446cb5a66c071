"""In 3-D, or with other axes on screen, nothing is taken for rows and columns."""

from gui_annotate import same

from napari_unet.gui.screen import FLAT_FIRST


def look_from_above(viewer):
    viewer.dims.ndisplay = 3
    viewer.scene.camera.angles = (30, 50, 120)


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
