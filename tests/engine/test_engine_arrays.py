import os
import stat
import subprocess
import sys

import numpy as np
import pytest
import windows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_unet.engine.arrays import SharedArray, clear_left_over, private_folder
from napari_unet.errors import EngineError

DTYPES = st.one_of(
    hnp.unsigned_integer_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes()
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=40,
    deadline=None,
)
@given(array=hnp.arrays(DTYPES, hnp.array_shapes(max_dims=4, max_side=9)))
def test_a_copy_is_the_array(tmp_path, array):
    shared = SharedArray.of(tmp_path, array)
    opened = shared.open("r")
    assert type(opened) is np.ndarray
    assert opened.dtype == array.dtype
    np.testing.assert_array_equal(opened, array)
    shared.remove()


def test_what_one_side_writes_the_other_sees(tmp_path):
    shared = SharedArray.create(tmp_path, (3, 5), np.uint16)
    ours, theirs = shared.open(), shared.open()
    assert not ours.any()
    ours[1, 2] = 7
    assert theirs[1, 2] == 7


def test_an_array_outlives_its_file(tmp_path):
    shared = SharedArray.of(tmp_path, np.arange(6))
    kept = shared.open()
    shared.remove()
    shared.remove()
    assert list(tmp_path.iterdir()) == []
    assert kept.sum() == 15


@windows.linux
def test_an_array_that_was_mapped_when_it_was_removed_goes_with_the_next_one(
    tmp_path, monkeypatch
):
    windows.like_windows(monkeypatch)
    shared = SharedArray.of(tmp_path, np.arange(6))
    kept = shared.open()
    shared.remove()
    assert kept.sum() == 15 and os.path.exists(shared.path)
    del kept
    other = SharedArray.create(tmp_path, (3,), np.uint8)
    assert [str(p) for p in tmp_path.iterdir()] == [other.path]


def test_read_only_cannot_be_written(tmp_path):
    opened = SharedArray.create(tmp_path, (2,), np.float32).open("r")
    with pytest.raises(ValueError, match="read-only"):
        opened[0] = 1


def test_a_file_of_another_shape_is_refused(tmp_path):
    shared = SharedArray.create(tmp_path, (2, 3), np.uint8)
    with pytest.raises(ValueError, match="another array"):
        SharedArray(shared.path, (3, 2), shared.dtype).open()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it fills the disk")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(EngineError, match="no room for 1000000000 MB"):
        SharedArray.create(tmp_path, (10**9, 10**6), np.uint8)
    assert list(tmp_path.iterdir()) == []


def test_the_space_is_taken_at_once(tmp_path):
    shared = SharedArray.create(tmp_path, (1000, 1000), np.uint8)
    if hasattr(os, "posix_fallocate"):
        assert os.stat(shared.path).st_blocks * 512 >= 1_000_000


@pytest.mark.parametrize("fallocate", [True, False])
def test_a_sparse_array_takes_the_space_of_what_is_reserved(
    tmp_path, monkeypatch, fallocate
):
    if not fallocate:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    shared = SharedArray.sparse(tmp_path, (5, 4, 300, 400), np.uint16)
    seen = shared.open("r")
    part = np.arange(300 * 400, dtype=np.uint16).reshape(300, 400)
    shared.reserve((3, 1))
    shared.open()[3, 1] = part
    np.testing.assert_array_equal(seen[3, 1], part)
    assert np.count_nonzero(seen) == np.count_nonzero(part)
    shared.reserve((2,))
    shared.open()[2] = part
    assert np.count_nonzero(seen) == 5 * np.count_nonzero(part)
    if sys.platform == "linux":
        assert os.stat(shared.path).st_blocks * 512 < 6.5 * part.nbytes


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it fills the disk")
def test_a_part_for_which_there_is_no_room_is_said(tmp_path):
    shared = SharedArray.sparse(tmp_path, (2, 10**6, 4 * 10**6), np.uint8)
    with pytest.raises(EngineError, match="no room for 4000000 MB"):
        shared.reserve((1,))
    shared.remove()


def test_without_fallocate_the_zeros_are_written(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    shared = SharedArray.create(tmp_path, (3, 1 << 20), np.uint8)
    assert not shared.open().any()
    assert os.path.getsize(shared.path) - (3 << 20) == 128


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_private_folder_is_private():
    folder = private_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")
def test_a_private_folder_is_short_enough_for_a_socket(monkeypatch, tmp_path):
    deep = tmp_path / ("x" * 60)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    folder = private_folder()
    assert len(str(folder)) < 90
    folder.rmdir()


def test_folders_of_viewers_that_died_are_removed(tmp_path):
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    left = tmp_path / f"napari-unet-{died.pid}-x"
    ours = tmp_path / f"napari-unet-{os.getpid()}-x"
    # A model that could not be saved elsewhere, and what is not of a viewer.
    others = [tmp_path / "napari-unet-0123abcd", tmp_path / "napari-unet-tests-x"]
    for folder in (left, ours, *others):
        folder.mkdir()
        (folder / "a.npy").touch()
    clear_left_over(tmp_path)
    assert {*tmp_path.iterdir()} == {ours, *others}


def test_a_private_folder_says_whose_it_is():
    folder = private_folder()
    folder.rmdir()
    assert folder.name.startswith(f"napari-unet-{os.getpid()}-")
