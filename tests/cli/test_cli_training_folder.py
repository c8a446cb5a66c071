"""Folders of images and masks, as a training takes them."""

import numpy as np
import pytest
import tifffile

from napari_unet.annotation import ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.cli.training_folder import open_training_folder
from napari_unet.models import read_spec


@pytest.fixture
def folder(tmp_path):
    """Ten images, each with one object."""
    masks = np.zeros((10, 64, 48), np.uint8)
    masks[:, 10:30, 10:30] = 1
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
        for i, mask in enumerate(masks):
            tifffile.imwrite(tmp_path / name / f"{i}.tif", mask)
    return tmp_path


def tallies(folder, model, came=()):
    """Return the pixels of each image by what becomes of them."""
    data = open_training_folder(
        folder / "images", folder / "labels", None, None
    ).training_set(read_spec(model), channels=(), objects=True, seed=0, came=came)
    return {name: data[name].annotation.tally().sum(axis=0) for name in data}


def test_of_several_images_whole_ones_are_held_out(model, folder):
    found = tallies(folder, model).values()
    whole = 64 * 48
    assert sorted(t[HELD_OUT] for t in found) == [0] * 8 + [whole] * 2
    assert sorted(t[TRAINING] for t in found) == [0] * 2 + [whole] * 8


def test_what_is_held_out_stays_so_when_images_come(model, folder):
    later = folder / "later"
    (folder / "labels").rename(later)
    (folder / "labels").mkdir()
    came, before = [], {}
    for names in ("567", "34", "01289"):
        for name in names:
            (later / f"{name}.tif").rename(folder / "labels" / f"{name}.tif")
        now = tallies(folder, model, came)
        assert now.keys() == {*before, *names}
        for name, tally in before.items():
            np.testing.assert_array_equal(now[name], tally)
        came, before = [*came, names], now
    at_once = tallies(folder, model)
    assert any((at_once[name] != before[name]).any() for name in before)


def test_what_is_guessed_of_images_is_said_once(model, tmp_path):
    mask = np.zeros((64, 48), np.uint8)
    mask[10:30, 10:30] = 1
    for folder, pixels in (("images", np.stack([mask] * 2)), ("labels", mask)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            path = tmp_path / folder / f"{i}.tif"
            tifffile.imwrite(path, pixels, photometric="minisblack", metadata=None)
    notes = []
    open_training_folder(
        tmp_path / "images", tmp_path / "labels", None, None
    ).training_set(
        read_spec(model), channels=(0,), objects=True, seed=0, tell=notes.append
    )
    (note,) = notes
    assert note.startswith("'0' and 2 more: Not all axes of this image are named")
    assert note.endswith("taken as 2 C x 64 Y x 48 X.")


def test_what_a_table_holds_out_is_never_learnt_from(model, folder):
    """Not even where a class is on no other image."""
    tifffile.imwrite(folder / "labels" / "3.tif", np.full((64, 48), 2, np.uint8))
    table = folder / "split.csv"
    rows = [f"{i},{'val' if i == 3 else 'train'}" for i in range(10)]
    table.write_text("\n".join(["id,split", *rows]))
    spec = read_spec(model)
    spec = spec.model_copy(update={"classes": ClassScheme.named("cell", "other")})
    data = open_training_folder(
        folder / "images", folder / "labels", None, table
    ).training_set(spec, channels=(), objects=False, seed=0)
    for name in data:
        tally = data[name].annotation.tally().sum(axis=0)
        assert tally[HELD_OUT if name == "3" else TRAINING] == 64 * 48
