"""``napari-unet evaluate`` on files."""

import json
import os
import weakref

import numpy as np
import pytest
import tifffile
from cli_squares import SQUARES, squares

from napari_unet.annotation import ClassScheme
from napari_unet.cli.evaluation import WORST, Scene, Scored
from napari_unet.cli.pictures import FALSE, MISSED, MIXED, RIGHT, errors_of
from napari_unet.cli.report import Gallery
from napari_unet.images import image_from_array
from napari_unet.metrics import confusion, score_objects
from napari_unet.models import ModelSpec, UNetArchitecture, build, save_model


def numbered(shape=(64, 48)):
    """Return the objects of `squares`."""
    labels = np.zeros(shape, np.uint16)
    for number, (y, x) in enumerate(SQUARES, 1):
        labels[..., y : y + 10, x : x + 10] = number
    return labels


@pytest.fixture
def folders(tmp_path):
    """Two images, and masks of which the second lacks an object."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for name, gone in (("a", 0), ("b", 3)):
        tifffile.imwrite(images / f"{name}.tif", squares())
        labels = numbered()
        labels[labels == gone] = 0
        tifffile.imwrite(masks / f"{name}.tif", labels)
    return images, masks


@pytest.fixture
def evaluate(run, model, folders):
    def evaluate(*arguments):
        images, masks = folders
        return run(
            "evaluate", "--model", model, "--images", images, "--masks", masks,
            *arguments,
        )  # fmt: skip

    return evaluate


def test_axes_of_the_images(evaluate, folders):
    images, masks = folders
    for path in (*images.iterdir(), *masks.iterdir()):
        one = tifffile.imread(path)
        # An object of one plane is none of the other.
        other = one + 3 * (one > 0) if path.parent == masks else one
        tifffile.imwrite(path, np.stack([one, other.astype(one.dtype)]), metadata=None)
    result = evaluate("--json", "--axes", "TYX")
    assert (result.code, result.err) == (0, [])
    assert json.loads(result.out[0])["ap_pooled"]["0.50"] == pytest.approx(5 / 6)


def test_parts_of_black_and_white_masks_count_as_objects(evaluate, folders):
    _, masks = folders
    for path in masks.iterdir():
        tifffile.imwrite(path, 255 * (tifffile.imread(path) > 0).astype(np.uint8))
    result = evaluate("--json")
    assert json.loads(result.out[0])["ap_pooled"]["0.50"] == pytest.approx(5 / 6)
    assert [line.split(": ")[1] for line in result.err] == [
        "Its mask is black and white"
    ] * 2
    assert evaluate("--semantic").err == []


def test_an_object_of_a_volume_counts_once(evaluate, folders):
    images, masks = folders
    for path in (*images.iterdir(), *masks.iterdir()):
        volume = np.stack([tifffile.imread(path)] * 5)
        tifffile.imwrite(path, volume, metadata={"axes": "ZYX"})
    figures = json.loads(evaluate("--json").out[0])
    assert figures["ap_pooled"]["0.50"] == pytest.approx(5 / 6)
    assert figures["merges"] == figures["splits"] == 0


def test_objects_of_a_time_series_count_in_each_frame(evaluate, folders):
    images, masks = folders
    for path in (*images.iterdir(), *masks.iterdir()):
        series = np.stack([tifffile.imread(path)] * 5)
        tifffile.imwrite(path, series, metadata={"axes": "TYX"})
    figures = json.loads(evaluate("--json").out[0])
    assert figures["ap_pooled"]["0.50"] == pytest.approx(25 / 30)
    assert figures["merges"] == figures["splits"] == 0


def test_scores_as_json(evaluate):
    result = evaluate("--json")
    assert (result.code, result.err) == (0, [])
    figures = json.loads(result.out[0])
    assert figures["images"] == 2
    thresholds = [f"{t:.2f}" for t in np.arange(0.5, 0.91, 0.05)]
    assert list(figures["ap_pooled"]) == thresholds
    assert list(figures["ap_mean"]) == thresholds
    # Five hits and one false object, in one of two images.
    assert figures["ap_pooled"]["0.50"] == pytest.approx(5 / 6)
    assert figures["ap_mean"]["0.90"] == pytest.approx((1 + 2 / 3) / 2)
    assert figures["f1"] == pytest.approx(10 / 11)
    assert figures["panoptic_quality"] == pytest.approx(10 / 11)
    assert figures["seg"] == 1
    assert (figures["merges"], figures["splits"]) == (0, 0)
    assert figures["dice"]["objects"] == pytest.approx(2 * 500 / (500 + 600))
    assert figures["iou"]["objects"] == pytest.approx(500 / 600)
    assert [row["image"] for row in figures["worst"]] == ["b", "a"]


def test_scores_for_humans(evaluate):
    text = "\n".join(evaluate().out)
    assert "2 images" in text
    assert "worst: b, a" in text


def test_one_image_is_one_image(evaluate, folders):
    for folder in folders:
        (folder / "b.tif").unlink()
    assert evaluate().out[0] == "1 image"


@pytest.mark.parametrize("most", [2, 3])
def test_masks_that_look_like_classes_are_said(run, folders, tmp_path, most):
    spec = ModelSpec(
        name="two",
        classes=ClassScheme.named("axon", "myelin"),
        architecture=UNetArchitecture(depth=1, width=4, max_width=8),
    )
    save_model(build(spec), tmp_path / "two")
    images, masks = folders
    for path in masks.iterdir():
        tifffile.imwrite(path, numbered().clip(max=most))
    order = [
        "evaluate", "--model", tmp_path / "two", "--images", images, "--masks", masks,
    ]  # fmt: skip
    result = run(*order)
    assert result.code == 0
    assert [line for line in result.err if "add --semantic" in line] == result.err
    assert len(result.err) == (2 if most == 2 else 0)


@pytest.mark.parametrize("white", [1, 255])
def test_masks_of_classes(evaluate, folders, white):
    _, masks = folders
    for path in masks.iterdir():
        tifffile.imwrite(path, (tifffile.imread(path) > 0) * np.uint8(white))
    figures = json.loads(evaluate("--semantic", "--json").out[0])
    assert "ap_pooled" not in figures
    assert list(figures["dice"]) == ["background", "bright"]
    assert figures["dice"]["bright"] == pytest.approx(2 * 500 / (500 + 600))


def test_objects_taken_for_classes_are_said(evaluate):
    result = evaluate("--semantic")
    assert result.code == 2
    assert "has a class 3" in result.err[0]
    assert "--semantic" in result.err[0]


def test_a_report_shows_the_worst_image_first(evaluate, tmp_path):
    page = tmp_path / "report.html"
    assert evaluate("--report", page).code == 0
    text = page.read_text()
    assert text.index("<b>b</b>, AP at an IoU of 0.5: 0") < text.index("<b>a</b>")
    assert "<td>F1</td><td>panoptic quality</td><td>SEG</td>" in text
    assert text.count("data:image/png;base64,") == 8
    assert "http" not in text
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_report_of_a_stack(run, model, tmp_path):
    for name, content in (("images", squares((3, 64, 48))), ("masks", None)):
        (tmp_path / name).mkdir()
        if content is None:
            content = numbered((3, 64, 48))
            content[1] = 0
        tifffile.imwrite(
            tmp_path / name / "stack.tif",
            content,
            metadata={"axes": "ZYX"},
            photometric="minisblack",
        )
    page = tmp_path / "report.html"
    result = run(
        "evaluate", "--model", model, "--images", tmp_path / "images",
        "--masks", tmp_path / "masks", "--report", page,
    )  # fmt: skip
    assert result.code == 0
    assert "stack (Z 1)" in page.read_text()


def test_a_report_that_cannot_be_written_is_said(evaluate, tmp_path):
    result = evaluate("--report", tmp_path / "nowhere" / "report.html")
    assert result.code == 2
    assert "report.html' cannot be written" in result.err[0]
    # It was known before the images were predicted.
    assert result.out == []


def test_scores_are_printed_before_the_report(evaluate, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    page = tmp_path / "report.html"
    page.write_text("an older one")
    monkeypatch.setattr(os, "replace", full)
    result = evaluate("--report", page)
    assert result.code == 2
    assert "2 images" in result.out[0]
    assert "No space left" in result.err[0]
    assert page.read_text() == "an older one"
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_a_damaged_image_is_said_and_the_others_scored(evaluate, folders, tmp_path):
    path = folders[0] / "a.tif"
    path.write_bytes(path.read_bytes()[:200])
    page = tmp_path / "report.html"
    result = evaluate("--json", "--report", page)
    assert result.code == 2
    assert len(result.err) == 1
    assert "a.tif" in result.err[0]
    figures = json.loads(result.out[0])
    assert (figures["images"], figures["worst"][0]["image"]) == (1, "b")
    assert "<b>b</b>" in page.read_text()
    (folders[0] / "b.tif").write_bytes(b"no image")
    result = evaluate()
    assert (result.code, result.out, len(result.err)) == (2, [], 2)


def test_folders_without_pairs_are_said(evaluate, folders):
    for path in folders[1].iterdir():
        path.rename(path.with_name("x" + path.name))
    result = evaluate()
    assert result.code == 2
    assert "Name each mask like its image" in result.err[0]


def test_a_mask_of_another_size_is_said(evaluate, folders):
    tifffile.imwrite(folders[1] / "a.tif", np.ones((8, 8), np.uint8))
    result = evaluate()
    assert result.code == 2
    assert "a.tif" in result.err[0]


def test_a_gallery_shows_the_worst_and_keeps_no_pixels():
    gallery = Gallery()
    kept = []
    for i in range(2 * WORST):
        truth, found = np.ones((2, 8, 8), np.uint32)
        found *= i % 2
        scene = Scene(image_from_array(truth), truth, found)
        counts, scores = confusion(truth, found, 2), score_objects(truth, found)
        gallery.add(Scored(f"{i}", ("a", "b"), counts, scores, ()), scene)
        kept.append(weakref.ref(scene))
    del scene
    assert [there() for there in kept] == [None] * len(kept)
    assert [mark for mark, _ in gallery.figures] == [0.0] * WORST


def test_errors_have_one_colour_a_kind():
    truth, found = np.zeros((4, 12), int), np.zeros((4, 12), int)
    truth[:, 0:2] = found[:, 0:2] = 7
    truth[:, 3:5] = 2
    found[:, 6:8] = 3
    truth[:, 9:12] = 4
    found[:, 9] = 5
    colours = errors_of(truth, found, objects=True)
    kinds = [tuple(int(v) for v in colours[0, x]) for x in (0, 3, 6, 9, 10, 2)]
    assert kinds == [RIGHT, MISSED, FALSE, MIXED, MISSED, (0, 0, 0)]


def test_numbers_in_the_billions_take_no_more_memory():
    truth = np.array([[0, 4_000_000_000, 7]], np.uint32)
    found = np.array([[3, 3_999_999_999, 0]], np.uint32)
    colours = errors_of(truth, found, objects=True)
    kinds = [tuple(int(v) for v in c) for c in colours[0]]
    assert kinds == [FALSE, RIGHT, MISSED]


def test_wrong_classes_are_mixed():
    truth, found = np.array([[1, 2, 2, 0]]), np.array([[1, 2, 1, 1]])
    colours = errors_of(truth, found, objects=False)
    kinds = [tuple(int(v) for v in c) for c in colours[0]]
    assert kinds == [RIGHT, RIGHT, MIXED, FALSE]
