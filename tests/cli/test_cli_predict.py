"""``napari-unet predict`` on files."""

import inspect
import json
import os
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
import zarr
from cli_squares import squares
from threshold_model import threshold_model

from napari_unet.cli.predict import predict
from napari_unet.cli.terminal import user_errors
from napari_unet.inference import PredictConfig
from napari_unet.models import save_model


def names(folder):
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_single_object_is_one(run, model, out, tmp_path):
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, squares()[:30, :20])
    result = run("predict", path, "--model", model, "--out", out)
    assert result.out[0].startswith(f"{path}: 1 object in 30 x 20, ")


def test_labels_and_a_line_for_an_image(run, image, model, out):
    result = run("predict", image, "--model", model, "--out", out)
    assert (result.code, result.err) == (0, [])
    assert result.out[0].startswith(f"{image}: 3 objects in 64 x 48, ")
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]
    semantic = tifffile.imread(out / "cells_semantic.tif")
    instances = tifffile.imread(out / "cells_instances.tif")
    np.testing.assert_array_equal(semantic, squares() > 500)
    np.testing.assert_array_equal(instances > 0, semantic > 0)
    assert semantic.dtype == np.uint8
    assert sorted(np.unique(instances)) == [0, 1, 2, 3]


def test_a_folder_gives_the_images_in_it(run, image, model, out):
    folder = image.parent / "field"
    (folder / "more").mkdir(parents=True)
    for name in ("b.tif", "a.tif", "Thumbs.db", ".hidden.tif"):
        tifffile.imwrite(folder / name, squares())
    zarr.save(str(folder / "c.zarr"), squares())
    order = ("predict", folder, image, "--model", model, "--out", folder)
    result = run(*order)
    assert (result.code, result.err) == (0, [])
    done = [line.partition(": ")[0] for line in result.out]
    assert done == [str(folder / n) for n in ("a.tif", "b.tif", "c.zarr")] + [
        str(image)
    ]
    # What was written there is no image.
    again = run(*order)
    assert [line.partition(": ")[0] for line in again.out] == done
    empty = run("predict", folder / "more", "--model", model, "--out", out)
    assert empty.code == 2
    assert f"no image in the folder '{folder / 'more'}'" in empty.err[0]
    assert not out.exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_gives_the_images_in_it(run, model, out, tmp_path, version):
    from ome_zarr.format import format_from_version
    from ome_zarr.writer import (
        write_image,
        write_plate_metadata,
        write_well_metadata,
    )

    form = format_from_version(version)
    path = tmp_path / "screen.ome.zarr"
    plate = zarr.open_group(str(path), mode="w", zarr_format=form.zarr_format)
    wells = ["A/1", "A/2", "B/1"]
    write_plate_metadata(plate, ["A", "B"], ["1", "2"], wells, fmt=form)
    # The last one was not copied.
    for well in wells[:2]:
        group = plate.require_group(well)
        write_well_metadata(group, ["0", "1"], fmt=form)
        for field in "01":
            image = group.require_group(field)
            write_image(squares(), image, axes="yx", fmt=form)
    result = run("predict", path, "--model", model, "--out", out)
    assert result.code == 2
    assert len(result.err) == 1
    assert str(path / "B" / "1") in result.err[0]
    fields = [f"screen_A_{column}_{field}" for column in "12" for field in "01"]
    parts = ("instances", "semantic")
    assert names(out) == [f"{f}_{part}.tif" for f in fields for part in parts]
    well = run("predict", path / "A" / "2", "--model", model, "--out", out / "well")
    assert well.code == 0
    assert names(out / "well") == names(out)[4:8]
    # One of many that are called 1.
    damaged = path / "A" / "2" / "1"
    for level in [*zarr.open_group(str(damaged), mode="r").array_keys()]:
        shutil.rmtree(damaged / level)
    again = run("predict", path, "--model", model, "--out", out)
    assert again.err[0].startswith(f"{damaged}: ")


def test_json_is_one_line_an_image(run, image, model, out):
    other = image.with_name("other.tif")
    tifffile.imwrite(other, squares((80, 64)))
    result = run(
        "predict", image, other, "--model", model, "--out", out, "--json", "--tile", 32
    )
    assert result.code == 0
    first, second = map(json.loads, result.out)
    assert first["image"] == str(image)
    assert first["shape"] == [64, 48]
    assert (first["axes"], first["objects"], first["tile"]) == ("YX", 3, 32)
    assert first["seconds"] > 0
    assert first["megapixels_per_second"] > 0
    assert first["device"]
    assert first["semantic"] == str(out / "cells_semantic.tif")
    assert second["shape"] == [80, 64]


def test_without_instances(run, image, model, out):
    result = run(
        "predict", image, "--model", model, "--out", out, "--instances", "none"
    )
    assert result.code == 0
    assert names(out) == ["cells_semantic.tif"]


def test_objects_of_an_earlier_prediction_are_said(run, image, model, out):
    order = "predict", image, "--model", model, "--out", out
    assert run(*order).code == 0
    before = (out / "cells_instances.tif").read_bytes()
    result = run(*order, "--instances", "none", "--json")
    assert result.code == 0
    assert json.loads(result.out[0])["instances"] is None
    (line,) = result.err
    assert f"{image}: '{out / 'cells_instances.tif'}' is of an earlier" in line
    assert (out / "cells_instances.tif").read_bytes() == before


def test_a_stack_and_its_channel(run, model, out, tmp_path):
    stack = np.zeros((2, 3, 64, 48), np.uint16)
    stack[:, 1] = squares()
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, stack, metadata={"axes": "ZCYX"})
    result = run("predict", path, "--model", model, "--out", out, "--channel", 1)
    assert result.code == 0, result.err
    with tifffile.TiffFile(out / "stack_instances.tif") as tif:
        assert tif.is_imagej
        assert tif.series[0].axes == "ZYX"
        assert tif.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        lower, upper = tif.asarray()
        # An object has one number in both slices.
        np.testing.assert_array_equal(lower, upper)
        assert lower.max() == 3


def test_two_of_five_channels(run, out, tmp_path):
    # The first of the model's channels decides.
    model = tmp_path / "two"
    save_model(threshold_model(channels=2), model)
    bands = np.zeros((5, 64, 48), np.uint16)
    bands[3] = squares()
    path = tmp_path / "stained.ome.tif"
    tifffile.imwrite(path, bands, metadata={"axes": "CYX"})
    order = "predict", path, "--model", model, "--out", out, "--json", "--channel"
    for channels, objects in (("3,1", 3), ("1,3", 0)):
        result = run(*order, channels)
        assert result.code == 0, result.err
        assert json.loads(result.out[0])["objects"] == objects
    result = run(*order, "0,1,3")
    assert result.code == 2
    assert "of which 3 are chosen, but the model takes 2" in result.err[0]


def test_axes_that_the_file_does_not_name(run, model, out, tmp_path):
    path = tmp_path / "three.tif"
    movie = np.zeros((3, 64, 48), np.uint16)
    movie[:] = squares()
    tifffile.imwrite(path, movie, photometric="minisblack", metadata=None)
    order = "predict", path, "--model", model, "--out", out, "--json", "--axes"
    result = run(*order, "tyx")
    assert (result.code, result.err) == (0, [])
    line = json.loads(result.out[0])
    assert (line["axes"], line["objects"]) == ("TYX", 9)
    for wrong in ("YX", "TTX", "TZX"):
        result = run(*order, wrong)
        assert result.code == 2
        assert "three.tif" in result.err[0]
        assert wrong in result.err[0]


def test_bad_images_are_said_and_the_others_done(run, image, model, out, tmp_path):
    broken = tmp_path / "broken.tif"
    broken.write_bytes(image.read_bytes()[:200])
    colour = tmp_path / "colour.tif"
    tifffile.imwrite(
        colour, np.zeros((32, 32, 3), np.uint8), photometric="rgb", metadata=None
    )
    missing = tmp_path / "missing.png"
    result = run(
        "predict", broken, colour, missing, image, "--model", model, "--out", out
    )
    assert result.code == 2
    assert len(result.out) == 1
    assert len(result.err) == 3
    for line, path in zip(result.err, (broken, colour, missing), strict=True):
        assert path.name in line
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root reads all")
def test_an_image_that_may_not_be_read_is_said_and_the_others_done(
    run, image, model, out
):
    locked = image.with_name("locked.tif")
    locked.write_bytes(image.read_bytes())
    locked.chmod(0)
    result = run("predict", locked, image, "--model", model, "--out", out)
    assert (result.code, len(result.out), len(result.err)) == (2, 1, 1)
    assert f"'{locked}' may not be read by you" in result.err[0]
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]


def test_an_image_too_large_is_said_and_the_others_done(
    run, image, model, out, tmp_path
):
    huge = tmp_path / "huge.zarr"
    zarr.create_array(huge, shape=(2**24, 2**24), chunks=(4096, 4096), dtype="u1")
    result = run("predict", huge, image, "--model", model, "--out", out)
    assert result.code == 2
    assert len(result.out) == len(result.err) == 1
    assert "huge.zarr' is too large for the memory" in result.err[0]
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]


def test_no_folder_is_left_when_no_image_can_be_done(run, model, out, tmp_path):
    broken = tmp_path / "broken.tif"
    broken.write_text("not an image")
    assert run("predict", broken, "--model", model, "--out", out).code == 2
    assert not out.exists()
    out.mkdir()
    run("predict", broken, "--model", model, "--out", out)
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nothing"], "There is no model 'nothing'"),
        (["--device", "abacus"], "'abacus' is no device"),
        (["--tile", "1"], "A tile of 1 pixels"),
        (["--channel", "-1"], "no channel -1"),
        (["--channel", "red"], "'red' are no channels"),
        (["--channel", "0,1,0"], "0,1,0 one comes twice"),
    ],
)
def test_bad_options_are_one_line_before_anything_is_done(
    run, image, model, out, arguments, message
):
    result = run("predict", image, "--model", model, "--out", out, *arguments)
    assert (result.code, result.out) == (2, [])
    assert len(result.err) == 1
    assert message in result.err[0]
    assert not out.exists()


@pytest.mark.parametrize("option", ["--tile=many", "--instances=magic", "--nonsense"])
def test_usage_errors_end_with_2(run, image, model, out, option):
    assert run("predict", image, "--model", model, "--out", out, option).code == 2


def test_results_that_cannot_be_written_are_said(run, image, model, tmp_path):
    (tmp_path / "file").write_text("")
    places = [tmp_path / "file" / "results", tmp_path / ("x" * 300)]
    # Nobody, root included, may write here.
    places += [p for p in [Path("/proc/self/fdinfo")] if p.is_dir()]
    for out in places:
        result = run("predict", image, "--model", model, "--out", out)
        assert result.code == 2
        assert "cannot be made" in result.err[0]


def test_no_result_is_left_when_one_cannot_be_written(run, image, model, out):
    (out / "cells_instances.tif").mkdir(parents=True)
    result = run("predict", image, "--model", model, "--out", out)
    assert result.code == 2
    assert "cells_instances.tif" in result.err[0]
    assert names(out) == ["cells_instances.tif"]


def test_an_older_result_stays_when_a_new_one_cannot_be_written(run, image, model, out):
    out.mkdir()
    (out / "cells_semantic.tif").write_text("an older one")
    (out / "cells_instances.tif").mkdir()
    result = run("predict", image, "--model", model, "--out", out)
    assert result.code == 2
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]
    assert (out / "cells_semantic.tif").read_text() == "an older one"


def test_a_full_disk_ends_it_and_leaves_what_is_whole(
    run, image, model, out, tmp_path, monkeypatch
):
    others = [tmp_path / f"{name}.tif" for name in "abc"]
    for other in others:
        tifffile.imwrite(other, squares())
    write = tifffile.imwrite

    def write_until_full(path, *args, **options):
        write(path, *args, **options)
        if "a_instances" in path.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", write_until_full)
    result = run("predict", image, *others, "--model", model, "--out", out, "--json")
    assert result.code == 2
    assert [json.loads(line)["image"] for line in result.out] == [str(image)]
    assert len(result.err) == 1
    assert "a_instances.tif' cannot be written: No space left" in result.err[0]
    assert "after it are not done" in result.err[0]
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]


def test_images_of_one_name_do_not_overwrite_each_other(
    run, image, model, out, tmp_path
):
    twins = [tmp_path / folder / "twin.tif" for folder in "ab"]
    for value, twin in enumerate(twins, 1):
        twin.parent.mkdir()
        tifffile.imwrite(twin, squares() // value)
    result = run("predict", *twins, image, "--model", model, "--out", out)
    assert result.code == 2
    assert len(result.err) == 2
    assert all(str(t) in line for t, line in zip(twins, result.err, strict=True))
    assert names(out) == ["cells_instances.tif", "cells_semantic.tif"]


# Where case decides nothing, the second one would be overwritten, too.
@pytest.mark.parametrize("name", ["cells_semantic.tif", "Cells_Semantic.tif"])
def test_an_image_is_not_overwritten_by_a_result(run, image, model, name):
    victim = image.with_name(name)
    tifffile.imwrite(victim, squares())
    before = victim.read_bytes()
    result = run("predict", image, victim, "--model", model, "--out", image.parent)
    assert result.code == 2
    assert len(result.err) == 1
    assert "overwrite" in result.err[0]
    assert victim.read_bytes() == before
    assert image.with_name(f"{victim.stem}_semantic.tif").exists()


def test_an_image_given_twice_is_done_once(run, image, model, out):
    result = run("predict", image, image, "--model", model, "--out", out)
    assert (result.code, len(result.out)) == (0, 1)


def test_older_results_are_replaced(run, image, model, out):
    for value in (1, 2):
        tifffile.imwrite(image, np.roll(squares(), value, 0))
        assert run("predict", image, "--model", model, "--out", out).code == 0
    np.testing.assert_array_equal(
        tifffile.imread(out / "cells_semantic.tif"), np.roll(squares(), 2, 0) > 500
    )


def test_guessed_axes_are_said(run, model, out, tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([squares()] * 5), metadata=None)
    result = run("predict", path, "--model", model, "--out", out)
    assert result.code == 0
    assert "5 Z x 64 Y x 48 X" in result.err[0]


def test_defaults_are_those_of_the_configuration():
    options = inspect.signature(predict).parameters
    for field in fields(PredictConfig):
        if field.name in options:
            assert options[field.name].default == field.default


def test_a_graphics_card_that_fails_is_one_line(capsys):
    with pytest.raises(typer.Exit) as end, user_errors():
        raise RuntimeError("CUDA error: an illegal memory access\nCompile with more")
    assert end.value.exit_code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("The graphics card failed (CUDA error: an illegal memory")
    assert "--device cpu" in said
    with pytest.raises(RuntimeError, match="a mistake"), user_errors():
        raise RuntimeError("a mistake in the program")
