"""What the tests of annotation share."""

from napari_unet.annotation import AnnotationStore
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget


def keep_in(viewer, folder):
    """Keep the labels of a viewer in a folder."""
    annotations = session_of(viewer).annotations
    annotations._store = AnnotationStore(folder)
    return annotations


def open_again(viewer, image, engine, folder) -> UnetWidget:
    """Open an image in another viewer, with the panel."""
    session_of(viewer).engine = engine
    keep_in(viewer, folder)
    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget, name="U-Net")
    viewer.add_image(image, name="again")
    return widget
