"""A folder is for one training at a time."""

import pytest

from napari_unet.errors import TrainingError
from napari_unet.training.claim import claimed


def test_a_second_training_is_refused_until_the_first_has_ended(tmp_path):
    folder = tmp_path / "checkpoints"
    with claimed(folder):
        (folder / "step-1").mkdir()
        with pytest.raises(TrainingError, match="Another training"), claimed(folder):
            pass
        with pytest.raises(TrainingError, match="Another training"), claimed(folder):
            pass
    with claimed(folder):
        pass
    assert [p.name for p in folder.iterdir()] == ["step-1"]


def test_nothing_is_left_of_a_training_that_kept_nothing(tmp_path):
    with claimed(tmp_path / "checkpoints"):
        pass
    assert not any(tmp_path.iterdir())


def test_where_nothing_can_be_written_nothing_is_held(tmp_path):
    (tmp_path / "file").write_text("")
    with claimed(tmp_path / "file"), claimed(tmp_path / "file"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
