"""Predict while a model is being trained."""

import numpy as np
from gui_live import paint_both

from napari_unet.gui.train import preview


def test_the_preview_is_back_after_a_prediction(
    viewer, user, scribbles, predict, monkeypatch
):
    # Only what is asked for is previewed, however long it is ago.
    monkeypatch.setattr(preview, "_HURRY", 1e5)
    monkeypatch.setattr(preview, "_LEISURE", 1e5)
    paint_both(scribbles)
    user.start()
    user.more_previews(1)
    user.more_steps(10)
    user.wait(lambda: not user.panel.view._previews._busy)
    predict()
    user.more_previews(1)
    seen = user.seen[-1]
    np.testing.assert_array_equal(
        viewer.layers["field semantic"].data[seen.view.region.slices], seen.semantic
    )
    user.stop()
