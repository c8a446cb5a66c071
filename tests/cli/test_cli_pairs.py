"""Folders of images and of what belongs to them."""

import pytest

from napari_unet.cli.pairs import by_stem, pair_files
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


def test_two_files_of_one_name_are_said(tmp_path):
    for name in ("a.png", "a.tif"):
        (tmp_path / name).write_text("")
    with pytest.raises(ImageError, match=r"--masks: 'a\.png' and 'a\.tif' in"):
        by_stem(tmp_path, "--masks")


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_a_folder_that_cannot_be_read_is_said(tmp_path, name):
    with pytest.raises(ImageError, match="--images: "):
        by_stem(tmp_path / name, "--images")
