"""Files that are there completely or not at all."""

import os
from threading import Timer

import numpy as np
import pytest
import tifffile
import windows

from napari_unet.errors import ImageError
from napari_unet.images import check_writable, whole, write_all_labels, written_whole


def test_a_file_takes_its_place_when_it_is_done(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_whole(path) as new:
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@windows.linux
def test_a_program_that_looks_at_a_file_for_a_moment_is_waited_for(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.txt"
    path.write_text("old")
    windows.like_windows(monkeypatch)
    looking = path.open()
    Timer(0.2, looking.close).start()
    with written_whole(path) as new:
        new.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@windows.linux
def test_a_file_that_another_program_keeps_open_is_left_and_said(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    windows.like_windows(monkeypatch)
    monkeypatch.setattr(whole, "WAITS", (0.01,))
    with (
        path.open(),
        pytest.raises(ImageError, match="no other program has the file open"),
        written_whole(path) as new,
    ):
        new.write_text("new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space"), KeyboardInterrupt()])
def test_an_older_file_stays_after_an_error(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    said = ImageError if isinstance(error, OSError) else type(error)
    with pytest.raises(said), written_whole(path) as new:
        new.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["folder", "nowhere/a.txt", "x" * 300])
def test_a_place_that_cannot_be_written_is_known_before(tmp_path, name):
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    with pytest.raises(ImageError, match="cannot be written"):
        check_writable(path)
    with pytest.raises(ImageError, match="cannot be written"), written_whole(path):
        path.write_text("")
    check_writable(tmp_path / "a.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_folder_without_access_is_tried_once(tmp_path, monkeypatch):
    tried = windows.deny_access(monkeypatch, tmp_path)
    with pytest.raises(ImageError, match="Access is denied"):
        check_writable(tmp_path / "a.txt")
    assert len(tried) == 1


def test_of_several_label_images_all_are_written_or_none(tmp_path):
    labels = np.ones((8, 9), np.uint8)
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    write_all_labels({first: labels, second: labels}, "YX")
    before = first.read_bytes()
    with pytest.raises(ImageError, match=r"'b\.tif' are of type float64"):
        write_all_labels({first: labels * 2, second: labels / 2}, "YX")
    assert first.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "b.tif"]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("older", [b"older", None])
def test_one_that_cannot_take_its_place_takes_the_others_back(
    tmp_path, monkeypatch, older, links
):
    labels = np.ones((8, 9), np.uint8)
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    if older:
        second.write_bytes(older)
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: os.stat(tmp_path / "nothing"))
    write = tifffile.imwrite

    def write_until_a_folder_is_in_the_way(path, *args, **options):
        write(path, *args, **options)
        if "b.tif" in path.name:
            first.mkdir()

    monkeypatch.setattr(tifffile, "imwrite", write_until_a_folder_is_in_the_way)
    with pytest.raises(ImageError, match=r"a\.tif' cannot be written"):
        write_all_labels({first: labels, second: labels}, "YX")
    first.rmdir()
    there = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert there == ({"b.tif": older} if older else {})
