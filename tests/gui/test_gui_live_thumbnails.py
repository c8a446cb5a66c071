"""Checkpoints get their pictures whatever is looked at when they are kept."""

import numpy as np
from gui_annotate import annotate
from gui_live import paint_both


def test_in_3d_and_when_the_first_image_has_gone(
    viewer, user, scribbles, widget, blobs, qtbot
):
    paint_both(scribbles)
    viewer.add_image(np.stack([blobs] * 6), name="stack", axis_labels=("z", "y", "x"))
    annotate(widget.annotate_panel, qtbot)
    pictures = []
    user.panel.view.thumbnail.connect(pictures.append)
    user.keep_often()
    user.start()
    user.wait(lambda: pictures)
    viewer.dims.ndisplay = 3
    n = len(pictures)
    user.wait(lambda: len(pictures) > n + 1)
    viewer.dims.ndisplay = 2
    pinned = pictures[-1].view.target.layer
    viewer.layers.remove(pinned)
    user.wait(lambda: pictures[-1].view.target.layer is not pinned)
