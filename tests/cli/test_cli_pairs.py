"""Folders of images and of what belongs to them."""

import shutil

import pytest

from napari_unet.cli.pairs import by_stem, pair_files
from napari_unet.cli.split_table import read_split
from napari_unet.errors import ImageError


def test_pairs_have_one_name(tmp_path):
    for name in (
        "images/a.ome.tif", "images/b.png", "images/.c.tif", "images/Thumbs.db",
        "masks/a.png", "masks/.c.tif", "masks/Thumbs.db",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    images, masks = tmp_path / "images", tmp_path / "masks"
    assert pair_files(images, "--images", masks, "--masks") == {
        "a": (images / "a.ome.tif", masks / "a.png")
    }


def test_names_that_may_be_misspelt_are_said(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    out = ["--out", tmp_path / "mine", "--base", tiny, "--steps", 1, "--device", "cpu"]
    train = ["train", "--images", images, "--labels", labels, *out]
    evaluate = ["evaluate", "--model", tiny, "--images", images, "--masks", labels]
    shutil.copy(labels / "a.tif", labels / "of another image.tif")
    for order in (train, evaluate):
        assert run(*order).err == []
    (labels / "a.tif").rename(labels / "A1.tif")
    for order in ([*train, "--resume"], evaluate):
        result = run(*order)
        assert result.code == 0
        (line,) = (line for line in result.err if "Left out" in line)
        assert "1 without labels, such as 'a', and 2 without an image" in line
        assert "'A1'" in line


def test_accents_that_a_mac_wrote_are_those_that_others_write(tmp_path):
    composed, apart = "n\u00e9vralgie", "ne\u0301vralgie"
    table = tmp_path / "split.csv"
    table.write_text(f"id,split\n{apart},val\n", encoding="utf-8")
    for name in (f"images/{apart}.tif", f"masks/{composed}.png"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("")
    pairs = pair_files(tmp_path / "images", "", tmp_path / "masks", "")
    assert [*pairs] == [*read_split(table)] == [composed]


def test_two_files_of_one_name_are_said(tmp_path):
    for name in ("a.png", "a.tif"):
        (tmp_path / name).write_text("")
    with pytest.raises(ImageError, match=r"--masks: 'a\.png' and 'a\.tif' in"):
        by_stem(tmp_path, "--masks")


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_a_folder_that_cannot_be_read_is_said(tmp_path, name):
    with pytest.raises(ImageError, match="--images: "):
        by_stem(tmp_path / name, "--images")
