"""Folders of images and masks, as a training takes them."""

import numpy as np
import tifffile

from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.cli.training_folder import open_training_folder
from napari_unet.models import read_spec


def test_of_several_images_whole_ones_are_held_out(model, tmp_path):
    masks = np.zeros((10, 64, 48), np.uint8)
    masks[:, 10:30, 10:30] = 1
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        for i, mask in enumerate(masks):
            tifffile.imwrite(tmp_path / folder / f"{i}.tif", mask)
    found = open_training_folder(
        tmp_path / "images", tmp_path / "labels", None, None
    ).training_set(read_spec(model), channel=None, objects=True, seed=0)
    tallies = [found[str(i)].annotation.tally().sum(axis=0) for i in range(10)]
    whole = masks[0].size
    assert sorted(t[HELD_OUT] for t in tallies) == [0] * 8 + [whole] * 2
    assert sorted(t[TRAINING] for t in tallies) == [0] * 2 + [whole] * 8


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
    ).training_set(read_spec(model), channel=0, objects=True, seed=0, tell=notes.append)
    (note,) = notes
    assert note.startswith("'0' and 2 more: Nothing names all the axes")
    assert note.endswith("taken as 2 C x 64 Y x 48 X.")
