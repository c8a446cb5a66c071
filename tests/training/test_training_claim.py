"""A folder is for one training at a time."""

import sys
from types import SimpleNamespace

import pytest
import windows

from napari_unet.errors import TrainingError
from napari_unet.training import claim
from napari_unet.training.claim import claimed


@pytest.fixture(params=["here", pytest.param("windows", marks=windows.linux)])
def system(request, monkeypatch):
    """The system that the tests run on, and Windows imitated."""

    def locking(file, mode, n_bytes):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError("Permission denied") from None

    if request.param == "windows":
        windows.like_windows(monkeypatch)
        monkeypatch.setattr(claim, "sys", SimpleNamespace(platform="win32"))
        msvcrt = SimpleNamespace(locking=locking, LK_NBLCK=2)
        monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)


def test_a_second_training_is_refused_until_the_first_has_ended(system, tmp_path):
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


def test_nothing_is_left_of_a_training_that_kept_nothing(system, tmp_path):
    with claimed(tmp_path / "checkpoints"):
        pass
    assert not any(tmp_path.iterdir())


def test_where_nothing_can_be_written_nothing_is_held(tmp_path):
    (tmp_path / "file").write_text("")
    with claimed(tmp_path / "file"), claimed(tmp_path / "file"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
