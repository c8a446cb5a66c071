"""``napari-unet train --recipe``."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.cli.recipe import read_recipe
from napari_unet.cli.split_table import read_split
from napari_unet.cli.training_folder import open_training_folder
from napari_unet.errors import TrainingError
from napari_unet.models import load_model, read_spec

RECIPES = sorted((Path(__file__).parents[2] / "resources" / "recipes").glob("*.toml"))

TEXT = """
name = "dots"
description = "Bright dots."
channels = 1
classes = ["dot"]

[architecture]
name = "unet"
depth = 1
width = 4
max_width = 8

[training]
steps = 3
batch = 2
crop = 32

[provenance]
data = "by chance"
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "dots.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def material(tmp_path):
    """Make three images with masks, and a table that splits them."""
    random = np.random.default_rng(0)
    for name in "abc":
        objects = np.zeros((64, 64), np.uint16)
        for i, (y, x) in enumerate(random.integers(0, 50, (5, 2)), start=1):
            objects[y : y + 10, x : x + 10] = i
        pixels = (objects > 0) * 150 + random.integers(0, 40, objects.shape)
        for folder, content in (
            ("images", pixels.astype(np.uint8)),
            ("masks", objects),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / folder / f"{name}.tif", content)
    with (tmp_path / "split.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerows([("id", "split"), ("a", "train"), ("b", "val"), ("c", "test")])
    return tmp_path


def test_a_recipe_says_all(run, material, recipe):
    out = material / "mine"
    result = run(
        "train", "--recipe", recipe, "--images", material / "images",
        "--labels", material / "masks", "--split", material / "split.csv",
        "--out", out, "--device", "cpu", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    events = [json.loads(line)["event"] for line in result.out]
    assert events.count("stepped") == 3
    spec = read_spec(out)
    assert (spec.name, spec.architecture.depth) == ("dots", 1)
    assert spec.classes.names == ("background", "dot")
    assert spec.provenance == {"data": "by chance", "masks": "objects"}


def test_a_recipe_names_the_device_unless_the_command_does(run, material, recipe):
    recipe.write_text(TEXT.replace("[training]", '[training]\ndevice = "cuda:77"'))
    order = [
        "train", "--recipe", recipe, "--images", material / "images",
        "--labels", material / "masks", "--out", material / "mine",
    ]  # fmt: skip
    result = run(*order)
    assert result.code == 2
    assert "There is no device 'cuda:77'" in result.err[0]
    assert run(*order, "--device", "cpu").code == 0


def test_going_on_draws_other_crops(run, material, recipe):
    still = "[training]\nlearning_rate = 1e-12"
    recipe.write_text(TEXT.replace("[training]", still))
    losses = []
    for more in ((), ("--resume",)):
        result = run(
            "train", "--recipe", recipe, "--images", material / "images",
            "--labels", material / "masks", "--out", material / "mine",
            "--device", "cpu", "--json", *more,
        )  # fmt: skip
        assert result.code == 0, result.err
        events = map(json.loads, result.out)
        losses.append([e["loss"] for e in events if e["event"] == "stepped"])
    # Weights as good as fixed: a loss tells which crops it is of.
    assert np.abs(np.subtract(*losses)).min() > 1e-3


def test_going_on_without_the_recipe_takes_masks_as_it_said(run, material, recipe):
    recipe.write_text(f"objects = false\n{TEXT}")
    for path in (material / "masks").iterdir():
        tifffile.imwrite(path, tifffile.imread(path).clip(max=1))
    order = [
        "train", "--images", material / "images", "--labels", material / "masks",
        "--out", material / "mine", "--device", "cpu", "--steps", 1,
    ]  # fmt: skip
    assert run(*order, "--recipe", recipe).code == 0
    result = run(*order, "--resume")
    assert result.code == 0, result.err
    assert read_spec(material / "mine").provenance["masks"] == "classes"
    recipe.write_text(TEXT.replace('["dot"]', '["spot"]'))
    result = run(*order, "--resume", "--recipe", recipe)
    assert (result.code, len(result.err)) == (2, 1)
    assert "know the classes dot, and not spot" in result.err[0]


FCN = """
name = "fcn"
width = 2
max_width = 4
hidden = 4
stride = """


def test_an_fcn_is_trained_in_stages(run, material, recipe):
    unet = 'name = "unet"\ndepth = 1\nwidth = 4\nmax_width = 8\n'
    base = "none"
    for stride in (32, 16, 8):
        recipe.write_text(TEXT.replace(unet, f"{FCN.strip()} {stride}\n"))
        out = material / f"fcn-{stride}s"
        result = run(
            "train", "--recipe", recipe, "--images", material / "images",
            "--labels", material / "masks", "--base", base,
            "--out", out, "--device", "cpu", "--minutes", "1",
        )  # fmt: skip
        assert result.code == 0, result.err
        model = load_model(out)
        assert model.net.stride == stride
        if base != "none":
            # Three steps at a gentle rate leave what was carried over nearly as it was.
            carried, was = (m.net.head[0].weight for m in (model, load_model(base)))
            assert (carried - was).abs().max() < 0.02
        base = out
    found = run("predict", material / "images" / "c.tif", "--model", base,
                "--out", material / "found")  # fmt: skip
    assert found.code == 0, found.err


@pytest.mark.parametrize("batch", [1, 2])
def test_crops_of_which_the_net_leaves_one_pixel_are_said(run, material, recipe, batch):
    changes = ("depth = 1", "depth = 5"), ("batch = 2", f"batch = {batch}")
    text = TEXT
    for change in changes:
        text = text.replace(*change)
    recipe.write_text(text)
    result = run(
        "train", "--recipe", recipe, "--images", material / "images",
        "--labels", material / "masks", "--out", material / "mine",
        "--device", "cpu",
    )  # fmt: skip
    if batch == 2:
        assert result.code == 0, result.err
    else:
        assert (result.code, len(result.err)) == (2, 1)
        assert "Take a crop of 64 pixels" in result.err[0]


def test_the_command_line_comes_before_the_recipe(recipe):
    config = read_recipe(recipe).config(steps=7, minutes=None)
    assert (config.steps, config.minutes, config.crop) == (7, None, 32)


def test_a_split_holds_whole_images_out(material, recipe):
    folder = open_training_folder(
        material / "images", material / "masks", None, material / "split.csv"
    )
    assert sorted(folder.images) == ["a", "b"]
    data = folder.training_set(
        read_recipe(recipe).spec, channels=(), objects=True, seed=0
    )
    for name, part in (("a", TRAINING), ("b", HELD_OUT)):
        tally = data[name].annotation.tally()
        assert tally[:, part].sum() == 64 * 64
        assert tally.sum() == 64 * 64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("steps = 3", "speed = 3"), "speed"),
        (("steps = 3", "steps = -3"), "steps"),
        (("depth = 1", "depth = 99"), "architecture.unet.depth"),
        (('classes = ["dot"]', ""), "classes"),
        (("channels = 1", "channels ="), "wrong"),
        (("channels = 1", "channels = 65"), "'channels'.*less than or equal to 64"),
        (("batch = 2", "batch = 2.5"), "training.batch.*a valid integer"),
        (("batch = 2", "learning_rate = inf"), "'learning_rate' is inf"),
        (("batch = 2", f"seed = {2**64}"), "'seed' is 18446744073709551616"),
        (("[training]", "[normalisation]\nlow = 99.9\n[training]"),
         r"'normalisation'.*low \(99\.9\) is not below high \(99\.8\)"),
        (("batch = 2", "device = 3"), "training.device.*a valid string"),
        (("batch = 2", 'optimiser = "sgd"'), "training.optimiser.*'muon'"),
        (('["dot"]', '["dot", "Dot"]'), "same name"),
        (('["dot"]', "[]"), "No class is named"),
        (('data = "by', 'base = "by'), "'base' under 'provenance'.*as --base"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_recipe_is_named(recipe, change, said):
    recipe.write_text(TEXT.replace(*change))
    with pytest.raises(TrainingError, match=said):
        read_recipe(recipe)


def test_a_whole_number_may_be_written_with_a_point(recipe):
    recipe.write_text(TEXT.replace("crop = 32", "crop = 32.0"))
    crop = read_recipe(recipe).config().crop
    assert (crop, type(crop)) == (32, int)


def test_files_of_windows_editors_are_read(material, recipe):
    table = material / "split.csv"
    for path in (recipe, table):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    assert read_recipe(recipe).name == "dots"
    assert read_split(table) == {"a": TRAINING, "b": HELD_OUT}


def test_a_recipe_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TrainingError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["none.csv", "images"])
def test_a_table_that_cannot_be_read_is_said(material, name):
    with pytest.raises(TrainingError, match=r"table .* cannot be read"):
        read_split(material / name)


def test_a_table_without_splits_is_said(material):
    table = material / "split.csv"
    table.write_text("name,part\na,train\n")
    with pytest.raises(TrainingError, match="'id' and 'split'"):
        open_training_folder(material / "images", material / "masks", None, table)


def test_spaces_and_capitals_in_a_table_do_not_matter(material):
    table = material / "split.csv"
    table.write_text("id,split\na , Train\nb,VAL\nc\n")
    assert read_split(table) == {"a": TRAINING, "b": HELD_OUT}


def test_a_table_that_holds_nothing_out_is_said(material, recipe):
    table = material / "split.csv"
    table.write_text("id,split\na,train\nb,validation\n")
    folder = open_training_folder(material / "images", material / "masks", None, table)
    notes = []
    folder.training_set(
        read_recipe(recipe).spec, channels=(), objects=True, seed=0, tell=notes.append
    )
    (note,) = notes
    assert "none of them has val in the table" in note


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_that_ship_are_right(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.spec.provenance["licence"]
