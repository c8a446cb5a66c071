"""``napari-unet train`` on folders."""

import json
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from io import StringIO
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from rich.console import Console

from napari_unet import training
from napari_unet.annotation import ClassScheme
from napari_unet.cli.terminal import progress_bar
from napari_unet.models import (
    ModelSpec,
    UNetArchitecture,
    build,
    load_model,
    read_spec,
    save_model,
)
from napari_unet.models.save import UNFINISHED


def test_masks_make_a_model_that_opens(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    out = tmp_path / "mine"
    result = run(
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", out, "--steps", 21, "--device", "cpu",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert any("held-out Dice" in line for line in result.out)
    assert read_spec(out).name == "mine"
    assert load_model(out).spec.provenance["base"] == "tiny"


def test_json_tells_each_step_and_strokes_suffice(run, folders, tiny, tmp_path):
    images, _, scribbles = folders
    result = run(
        "train", "--images", images, "--scribbles", scribbles, "--base", tiny,
        "--out", tmp_path / "mine", "--steps", 3, "--device", "cpu", "--json",
    )  # fmt: skip
    events = [json.loads(line) for line in result.out]
    assert [e["event"] for e in events].count("stepped") == 3
    assert events[-1]["event"] == "stopped"
    assert events[0]["labelled"] > 0


def test_going_on_needs_resume(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    order = [
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", tmp_path / "mine", "--steps", 2, "--device", "cpu",
    ]  # fmt: skip
    assert run(*order).code == 0
    again = run(*order)
    assert again.code == 2
    assert "--resume" in again.err[-1]
    more = run(*order, "--resume", "--json")
    steps = [e["step"] for e in map(json.loads, more.out) if e["event"] == "stepped"]
    assert steps == [3, 4]


@pytest.mark.parametrize("recipe", [False, True])
@pytest.mark.parametrize("option", ["--labels", "--scribbles"])
def test_muon_learns_from_masks_alone_unless_a_recipe_says_how(
    run, folders, tiny, tmp_path, monkeypatch, recipe, option
):
    learners = []

    class Noted(training.Learner):
        def __init__(self, model, device, config):
            super().__init__(model, device, config)
            learners.append(config.optimiser)

    monkeypatch.setattr(training, "Learner", Noted)
    images, labels, scribbles = folders
    order = [
        "train", "--images", images, option,
        labels if option == "--labels" else scribbles, "--base", tiny,
        "--out", tmp_path / "mine", "--steps", 1, "--device", "cpu",
    ]  # fmt: skip
    if recipe:
        path = tmp_path / "recipe.toml"
        path.write_text('name = "mine"\nclasses = ["cell"]\n')
        order += ["--recipe", path]
    result = run(*order)
    assert result.code == 0, result.err
    muon = option == "--labels" and not recipe
    assert learners == ["muon" if muon else "adamw"]


def test_black_and_white_masks_are_objects_and_it_is_said(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    order = [
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--steps", 1, "--device", "cpu",
    ]  # fmt: skip
    squares = np.zeros((96, 80), np.uint8)
    for y, x in ((5, 5), (30, 40), (60, 20)):
        squares[y : y + 12, x : x + 12] = 255
    for path in labels.iterdir():
        tifffile.imwrite(path, squares)
    result = run(*order, "--out", tmp_path / "mine")
    assert (result.code, len(result.err)) == (0, 1)
    assert "black and white: 2, such as that of 'a'" in result.err[0]
    assert read_spec(tmp_path / "mine").diameter == pytest.approx(13.5, abs=0.1)
    assert run(*order, "--out", tmp_path / "classes", "--classes", "cell").err == []


@pytest.mark.parametrize(("other", "said"), [(0.325, "0.325 µm"), (0.5, "not known")])
def test_a_model_has_the_pixel_size_of_its_images(
    run, folders, tiny, tmp_path, other, said
):
    images, labels, _ = folders
    for name, size in (("a", 0.325), ("b", other)):
        pixels = iio.imread(images / f"{name}.png")
        (images / f"{name}.png").unlink()
        tifffile.imwrite(
            images / f"{name}.tif", pixels, imagej=True,
            resolution=(1 / size, 1 / size), metadata={"unit": "um"},
        )  # fmt: skip
    out = tmp_path / "mine"
    result = run(
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", out, "--steps", 1, "--device", "cpu",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert f"pixel size: {said}" in run("info", out).out


def test_axes_of_the_images(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    for folder, paths in ((images, images.iterdir()), (labels, labels.iterdir())):
        for path in list(paths):
            twice = np.stack([iio.imread(path)] * 2)
            path.unlink()
            tifffile.imwrite(
                folder / f"{path.stem}.tif", twice, photometric="minisblack"
            )
    order = [
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", tmp_path / "mine", "--steps", 1, "--device", "cpu",
    ]  # fmt: skip
    # Two pages are taken for two channels, and then the masks do not fit.
    assert run(*order).code == 2
    result = run(*order, "--axes", "TYX")
    assert result.code == 0, result.err


def test_other_classes_from_masks_of_classes(run, folders, tiny, tmp_path):
    images, labels, _ = folders
    for path in labels.iterdir():
        tifffile.imwrite(path, tifffile.imread(path).clip(max=2))
    out = tmp_path / "mine"
    result = run(
        "train", "--images", images, "--labels", labels, "--classes", "wall,cell",
        "--base", tiny, "--out", out, "--steps", 2, "--device", "cpu",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert read_spec(out).classes.names == ("background", "wall", "cell")


@pytest.mark.parametrize("names", ["wall,cell", "cell"])
def test_going_on_takes_masks_as_before(run, folders, tiny, tmp_path, names):
    images, labels, _ = folders
    for path in labels.iterdir():
        mask = tifffile.imread(path).clip(max=names.count(",") + 1)
        tifffile.imwrite(path, mask)
    order = [
        "train", "--images", images, "--labels", labels, "--out", tmp_path / "mine",
        "--steps", 1, "--device", "cpu",
    ]  # fmt: skip
    began = run(*order, "--classes", names, "--base", tiny)
    assert began.code == 0, began.err
    # Numbered objects would teach the boundaries between them.
    on = run(*order, "--resume")
    assert on.code == 0, on.err
    model = read_spec(tmp_path / "mine")
    assert model.valley is None
    assert model.provenance["masks"] == "classes"
    other = run(*order, "--resume", "--classes", "cell,wall")
    assert (other.code, len(other.err)) == (2, 1)
    assert f"classes {names.replace(',', ', ')}, and not cell, wall" in other.err[0]


def test_masks_for_a_base_of_several_classes_hold_classes(run, folders, tmp_path):
    images, labels, _ = folders
    spec = ModelSpec(
        name="axons",
        classes=ClassScheme.named("axon", "myelin"),
        architecture=UNetArchitecture(depth=1, width=4, max_width=8),
    )
    save_model(build(spec), tmp_path / "axons")
    order = [
        "train", "--images", images, "--labels", labels, "--base", tmp_path / "axons",
        "--out", tmp_path / "mine", "--steps", 1, "--device", "cpu",
    ]  # fmt: skip
    numbered = run(*order)
    assert (numbered.code, len(numbered.err)) == (2, 1)
    assert "has a class 5; the largest may be 2. If it numbers obj" in numbered.err[0]
    for path in labels.iterdir():
        tifffile.imwrite(path, tifffile.imread(path).clip(max=2))
    assert run(*order).code == 0
    assert read_spec(tmp_path / "mine").valley is None


@pytest.mark.parametrize("options", [[], ["--resume"]])
def test_a_model_from_elsewhere_is_not_written_over(
    run, folders, tiny, tmp_path, options
):
    images, labels, _ = folders
    out = shutil.copytree(tiny, tmp_path / "theirs")
    result = run(
        "train", "--images", images, "--labels", labels, "--base", out, "--out", out,
        "--steps", 1, "--device", "cpu", *options,
    )  # fmt: skip
    assert (result.code, len(result.err)) == (2, 1)
    assert f"'{out}' is a model already" in result.err[0]
    assert read_spec(out) == read_spec(tiny)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "images", "labels", "strokes", "theirs"
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set in another way")
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_more_images_than_files_may_be_open(folders, tiny, tmp_path, compression):
    import resource

    images, labels, _ = folders
    for folder in (images, labels):
        pixels = iio.imread(next(folder.iterdir()))
        for i in range(80):
            tifffile.imwrite(folder / f"{i}.tif", pixels, compression=compression)
    ended = subprocess.run(
        [
            sys.executable, "-c", "from napari_unet.cli import main; main()",
            "train", "--images", images, "--labels", labels, "--base", tiny,
            "--out", tmp_path / "mine", "--steps", "2", "--device", "cpu",
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("out", ["full", ".", "/", "file/mine"])
def test_a_place_for_the_model_is_checked_first(
    run, folders, tiny, tmp_path, monkeypatch, out
):
    images, labels, _ = folders
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = run(
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", out, "--steps", "1", "--device", "cpu",
    )  # fmt: skip
    assert (result.code, result.out, len(result.err)) == (2, [], 1)
    assert "not a model" in result.err[0] or "could not be saved" in result.err[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kept", [0, 1])
def test_a_disk_that_fills_up_takes_nothing_that_was_learnt(
    run, folders, tiny, tmp_path, monkeypatch, kept
):
    images, labels, _ = folders
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    disk.mkdir()
    elsewhere.mkdir()
    make, made = Path.mkdir, []

    def make_until_full(path, *args, **options):
        # Of a model, which it has the name of.
        if fnmatch(path.name, f".*-*{UNFINISHED}") and disk in path.parents:
            made.append(path)
            if len(made) > kept:
                raise OSError(28, "No space left on device")
        return make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", make_until_full)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    result = run(
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", disk / "mine", "--steps", "2", "--device", "cpu", "--json",
    )  # fmt: skip
    assert (result.code, len(result.err)) == (2, 1)
    assert "No space left" in result.err[0]
    assert json.loads(result.out[0])["event"] == "stepped"
    (rescued,) = elsewhere.glob("napari-unet-*")
    assert f"'{rescued}'" in result.err[0]
    assert load_model(rescued).spec.name == "mine"
    assert not (disk / "mine").exists()


@pytest.mark.parametrize("seed", ["-1", "9" * 30])
def test_a_seed_that_cannot_be_is_a_usage_error(run, folders, tiny, tmp_path, seed):
    images, labels, _ = folders
    result = run(
        "train", "--images", images, "--labels", labels, "--base", tiny,
        "--out", tmp_path / "mine", "--steps", "1", "--seed", seed,
    )  # fmt: skip
    assert result.code == 2
    assert "--seed" in "".join(result.err)


@pytest.mark.parametrize(
    ("channels", "chosen", "taken"),
    [(2, [], 2), (5, [], 5), (5, ["--channel", "0,3"], 2), (65, [], None)],
)
@pytest.mark.parametrize("base", ["none", "tiny"])
def test_a_model_has_the_channels_of_the_images(
    run, folders, tiny, tmp_path, channels, chosen, taken, base
):
    images, labels, _ = folders
    for path in list(images.iterdir()):
        pixels = np.stack([iio.imread(path)] * channels)
        path.unlink()
        tifffile.imwrite(
            images / f"{path.stem}.tif",
            pixels,
            photometric="minisblack",
            metadata={"axes": "CYX"},
        )
    out = tmp_path / "mine"
    result = run(
        "train", "--images", images, "--labels", labels,
        "--base", tiny if base == "tiny" else base,
        "--out", out, "--steps", "1", "--device", "cpu", *chosen,
    )  # fmt: skip
    if taken is None:
        assert (result.code, len(result.err)) == (2, 1)
        assert "has 65 channels; a net takes 64 at most" in result.err[0]
    else:
        assert result.code == 0, result.err
        assert read_spec(out).channels == taken


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda o, _: o.update({"--images": "nowhere"}), "no folder"),
        (lambda o, _: o.pop("--labels"), "no labels to learn from"),
        (lambda o, f: [p.rename(p.with_stem("z" + p.stem)) for p in f[1].iterdir()],
         "Name each label file like its image"),
        (lambda o, _: o.update({"--base": "nothing"}), "There is no model 'nothing'"),
        (lambda o, _: o.update({"--base": ""}), "There is no model ''"),
        (lambda o, _: o.update({"--classes": ""}), "or one has none"),
        (lambda o, f: (f[0].parent / "r.toml").write_text('name = "a"\nclasses = ["b"]')
         and o.update({"--recipe": f[0].parent / "r.toml", "--classes": "c"}),
         "Leave --classes out"),
        (lambda o, f: tifffile.imwrite(f[1] / "a.tif", np.zeros((5, 5), np.uint8)),
         "a.tif"),
        (lambda o, _: o.update({"--steps": "-1"}), "steps"),
        (lambda o, f: (f[0] / "no table.csv").write_text("hello\n")
         and o.update({"--split": f[0] / "no table.csv"}),
         "is no table of images with the columns 'id' and 'split'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(
    run, folders, tiny, tmp_path, change, said
):
    images, labels, _ = folders
    out = tmp_path / "mine"
    options = {
        "--images": images, "--labels": labels, "--base": tiny, "--out": out,
        "--steps": 2, "--device": "cpu",
    }  # fmt: skip
    change(options, folders)
    result = run("train", *[x for pair in options.items() for x in pair])
    assert result.code == 2
    assert len(result.err) == 1
    assert said in result.err[0]
    assert not out.exists()


def test_the_bar_is_drawn_without_a_known_end():
    console = Console(force_terminal=True, file=StringIO())
    with progress_bar(console) as bar:
        bar.update(bar.add_task("training", total=None), completed=3)
        bar.refresh()
    assert "3/?" in console.file.getvalue()
