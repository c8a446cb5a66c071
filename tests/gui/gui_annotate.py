"""What the tests of annotation share."""

import numpy as np

from napari_unet.annotation import AnnotationStore
from napari_unet.gui.annotate.keeping import Keeping
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget

BACKGROUND, FIRST = 1, 2


def keep_in(viewer, folder):
    """Keep the labels of a viewer in a folder."""
    annotations = session_of(viewer).annotations
    annotations.keeping = Keeping(AnnotationStore(folder))
    return annotations


def open_again(viewer, image, engine, folder) -> UnetWidget:
    """Open an image, if there is one, in another viewer, with the panel."""
    session_of(viewer).engine = engine
    keep_in(viewer, folder)
    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget, name="U-Net")
    if image is not None:
        viewer.add_image(image, name="again")
    return widget


def annotate(panel, qtbot):
    """Press Annotate, wait until it is known what is kept; return the image."""
    panel.annotate.click()
    qtbot.wait_until(lambda: bool(panel.image and panel.image.scribbles))
    return panel.image


def take_in(button, qtbot):
    """Press a button of the labels from elsewhere, wait for the end."""
    button.click()
    qtbot.wait_until(button.isEnabled)


def same(image, layer) -> bool:
    """Say whether an image's annotation has what is drawn in a layer."""
    return np.array_equal(image.annotation.scribbles.dense(), layer.data)


def on_disk(store, image, layer) -> bool:
    """Say whether what is drawn in a layer is kept."""
    if not store.path(image.key).exists():
        return False
    return np.array_equal(store.load(image.key)[0].scribbles.dense(), layer.data)


def ids(layer) -> set[int]:
    """Return the ids of the objects in a layer."""
    return set(np.unique(layer.data).tolist()) - {0}
