"""Predict, and choose models, around a training."""

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


def test_another_model_that_is_chosen_is_what_the_next_training_begins_with(
    widget, user, scribbles, model
):
    paint_both(scribbles)
    user.start("The chosen model")
    user.stop()
    base = user.panel.train.base
    assert base.currentText() == "Go on with the last training"
    models = widget.prediction_panel.models
    trained = models.model
    models.choose_folder(model)
    assert base.currentText() == "The chosen model: threshold"
    models.choose_folder(trained)
    assert base.currentText() == "Go on with the last training"
