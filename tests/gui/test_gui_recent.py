"""Models that were used lately are offered again."""

from gui_threshold import saved_threshold_model
from gui_tooltip import tooltip_of

from napari_unet.gui.predict.recent import recent_models, remember_model
from napari_unet.gui.widget import UnetWidget


def test_model_folders_are_remembered(viewer, widget, tmp_path, qtbot):
    folder = saved_threshold_model(tmp_path / "mine")
    widget.prediction_panel.models.choose_folder(folder)
    assert recent_models()[0] == folder
    assert (
        widget.prediction_panel.models.about.text() == "Bright blobs on a dark ground."
    )
    models = widget.prediction_panel.models.models
    assert "mine" in tooltip_of(models)

    again = UnetWidget(viewer)
    qtbot.addWidget(again)
    assert again.prediction_panel.models.models.findData(str(folder)) >= 0


def test_trainings_that_left_nothing_take_no_place_among_the_recent(tmp_path):
    model = saved_threshold_model(tmp_path / "mine")
    remember_model(model)
    best = saved_threshold_model(tmp_path / "training" / "step-000005")
    for _ in range(2):
        remember_model(best.parent)
        assert recent_models()[:2] == [best, model]
        remember_model(best)
    for i in range(9):
        remember_model(tmp_path / f"failed-{i}")
    assert recent_models()[:2] == [best, model]


def test_recent_models_survive_a_damaged_list(viewer, widget, tmp_path):
    from napari_unet.gui.predict import recent

    recent._file().parent.mkdir(parents=True, exist_ok=True)
    recent._file().write_text("{not json")
    assert recent_models() == []
    widget.prediction_panel.models.choose_folder(
        saved_threshold_model(tmp_path / "mine")
    )
    assert recent_models() == [tmp_path / "mine"]
