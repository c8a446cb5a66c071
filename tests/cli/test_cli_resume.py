"""``napari-unet train --resume``: what a training goes on with."""

import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

RECIPE = """
name = "dots"
classes = ["dot"]

[architecture]
name = "unet"
depth = 1
width = 4
max_width = 8

[training]
steps = 2
validate_every = 1
"""


@pytest.fixture
def order(folders, tiny, tmp_path):
    images, labels, _ = folders
    return [
        "train", "--images", images, "--labels", labels, "--out", tmp_path / "mine",
        "--device", "cpu",
    ]  # fmt: skip


def kept(tmp_path):
    return json.loads((tmp_path / "mine-checkpoints/checkpoints.json").read_text())


def test_settings_of_the_recipe(run, order, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    assert run(*order, "--recipe", "recipe.toml").code == 0
    monkeypatch.chdir("/")
    on = run(*order, "--resume", "--json")
    events = [json.loads(line)["event"] for line in on.out]
    assert (events.count("stepped"), events.count("validated")) == (2, 2)
    (said,) = on.err
    assert f"goes on with --recipe {tmp_path / 'recipe.toml'}, as it began" in said
    # What is given again counts.
    (tmp_path / "other.toml").write_text(RECIPE.replace("steps = 2", "steps = 3"))
    other = run(*order, "--resume", "--json", "--recipe", tmp_path / "other.toml")
    assert (sum("stepped" in line for line in other.out), other.err) == (3, [])
    (tmp_path / "other.toml").write_text(RECIPE.replace("width = 4", "width = 2"))
    narrower = run(*order, "--resume", "--recipe", tmp_path / "other.toml")
    assert (narrower.code, len(narrower.err)) == (2, 1)
    assert "are of another net (U-Net, depth 1, width 4 to 8" in narrower.err[0]
    (tmp_path / "other.toml").unlink()
    gone = run(*order, "--resume")
    assert gone.code == 2
    assert "other.toml' cannot be read" in gone.err[-1]


def test_the_split_the_channel_and_the_axes(run, order, folders, tiny, tmp_path):
    images, labels, _ = folders
    for path in list(images.iterdir()):
        pixels = iio.imread(path)
        path.unlink()
        # Five bands and as many rows as columns: nothing tells which axis is which.
        bands = np.stack([pixels[:80]] * 5)
        tifffile.imwrite(
            images / f"{path.stem}.tif", bands, photometric="minisblack", metadata=None
        )
    for path in labels.iterdir():
        tifffile.imwrite(path, tifffile.imread(path)[:80])
    tifffile.imwrite(labels / "c.tif", np.zeros((5, 5), np.uint8))
    (images / "c.tif").write_text("no image")
    table = tmp_path / "split.csv"
    table.write_text("id,split\na,train\nb,val\nc,test\n")
    order = [*order, "--steps", 1]
    began = run(
        *order, "--base", tiny, "--split", table, "--channel", 4, "--axes", "CYX"
    )
    assert began.code == 0, began.err
    on = run(*order, "--resume")
    assert on.code == 0, on.err
    assert f"--split {table} --channel 4 --axes CYX, as it began" in on.err[0]
    other = run(*order, "--resume", "--channel", 5)
    assert other.code == 2
    assert "has no channel 5" in other.err[-1]
    # The first versions wrote it down as a number.
    path = tmp_path / "mine-checkpoints" / "beginning.json"
    began = json.loads(path.read_text())
    path.write_text(json.dumps({**began, "channel": 5}))
    assert "has no channel 5" in run(*order, "--resume").err[-1]


def test_scores_by_other_labels_do_not_count(run, order, folders, tiny, tmp_path):
    _, labels, _ = folders
    order = [*order, "--base", tiny, "--steps", 1]
    assert run(*order).code == 0
    index = tmp_path / "mine-checkpoints" / "checkpoints.json"
    index.write_text(json.dumps([{**kept(tmp_path)[0], "score": 1.0}]))
    assert run(*order, "--resume").err == []
    assert [c["score"] for c in kept(tmp_path)] == [1.0, None]
    mask = tifffile.imread(labels / "a.tif")
    mask[80:, :] = 9
    for path in labels.iterdir():
        tifffile.imwrite(path, mask)
    (said,) = run(*order, "--resume").err
    assert "Other labels are held out than before" in said
    assert [c["score"] for c in kept(tmp_path)] == [None, None, None]


@pytest.mark.parametrize("split", [False, True])
def test_scores_by_what_a_first_version_held_out(run, order, tiny, tmp_path, split):
    order = [*order, "--base", tiny, "--steps", 1]
    if split:
        (tmp_path / "split.csv").write_text("id,split\na,train\nb,val\n")
        order += ["--split", tmp_path / "split.csv"]
    assert run(*order).code == 0
    folder = tmp_path / "mine-checkpoints"
    scored = json.dumps([{**kept(tmp_path)[0], "score": 0.9}])
    (folder / "checkpoints.json").write_text(scored)
    # It did not write down how the training began.
    (folder / "beginning.json").unlink()
    said = run(*order, "--resume").err
    assert any("Other labels are held out" in line for line in said) is not split
    assert kept(tmp_path)[0]["score"] == (0.9 if split else None)


def test_images_that_came_later_are_known_as_such(run, order, folders, tiny, tmp_path):
    images, labels, _ = folders
    order = [*order, "--base", tiny, "--steps", 1, "--resume"]
    for name in ("c", "d"):
        assert run(*order).code == 0
        shutil.copy(images / "a.png", images / f"{name}.png")
        shutil.copy(labels / "a.tif", labels / f"{name}.tif")
    (images / "b.png").unlink()
    assert run(*order).code == 0
    beginning = json.loads((tmp_path / "mine-checkpoints/beginning.json").read_text())
    assert beginning["images"] == [["a", "b"], ["c"], ["d"]]


def test_nothing_to_go_on_from_is_said(run, order, tiny):
    began = run(*order, "--base", tiny, "--steps", 1, "--resume")
    assert began.code == 0
    assert "no checkpoints in" in began.err[0]


@pytest.mark.parametrize("content", ["", "[]", '{"channel": [3]}'])
def test_a_damaged_beginning_is_one_line(run, order, tiny, tmp_path, content):
    order = [*order, "--base", tiny, "--steps", 1]
    assert run(*order).code == 0
    path = tmp_path / "mine-checkpoints" / "beginning.json"
    path.write_text(content)
    on = run(*order, "--resume")
    assert (on.code, len(on.err)) == (2, 1)
    assert f"'{path}' cannot be read" in on.err[0]
    path.unlink()
    assert run(*order, "--resume").code == 0


def test_a_training_that_a_newer_version_began_stays(run, order, tiny, tmp_path):
    order = [*order, "--base", tiny, "--steps", 1]
    assert run(*order).code == 0
    path = tmp_path / "mine-checkpoints" / "beginning.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "diameter": 9}))
    before = path.read_text()
    on = run(*order, "--resume")
    assert (on.code, len(on.err)) == (2, 1)
    assert "'diameter'" in on.err[0]
    assert "Update napari-unet-annotator" in on.err[0]
    assert path.read_text() == before


def test_a_beginning_that_cannot_be_written_ends_nothing(run, order, tiny, tmp_path):
    (tmp_path / "mine-checkpoints" / "beginning.json").mkdir(parents=True)
    began = run(*order, "--base", tiny, "--steps", 1)
    assert began.code == 0
    assert "cannot be written" in began.err[0]
    assert (tmp_path / "mine" / "model.json").exists()
