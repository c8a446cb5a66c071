import os

import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from napari_unet.errors import ImageError
from napari_unet.images import (
    open_image,
    read_labels,
    read_labels_of,
    simulate_nuclei,
    write_labels,
)

LABELS = simulate_nuclei((48, 64))[1]


@pytest.mark.parametrize(
    ("dtype", "highest", "stored"),
    [
        ("?", 1, "u1"),
        ("u1", 255, "u1"),
        ("u2", 3, "u2"),
        ("u4", 65_535, "u2"),
        ("i8", 65_536, "u4"),
        (">u4", 2**32 - 1, "u4"),
    ],
)
def test_labels_come_back_in_the_smallest_type(tmp_path, dtype, highest, stored):
    labels = (LABELS % 2).astype(dtype)
    labels[0, 0] = highest
    write_labels(tmp_path / "a.tif", labels, "YX")
    assert tifffile.imread(tmp_path / "a.tif").dtype == stored
    back = read_labels(tmp_path / "a.tif", (48, 64))
    assert back.dtype == np.uint32
    np.testing.assert_array_equal(back, labels)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_imagej and tif.pages[0].compression.name == "ADOBE_DEFLATE"


@pytest.mark.parametrize("highest", [9, 70_000])
def test_stacks_name_their_axes_to_imagej(tmp_path, highest):
    labels = np.random.default_rng(0).integers(0, highest, (3, 2, 20, 30))
    write_labels(tmp_path / "a.tif", labels, "ZTYX")
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.notes) == ("TZYX", ())
    np.testing.assert_array_equal(image.data, labels.transpose(1, 0, 2, 3))
    write_labels(tmp_path / "b.tif", labels, "PTYX")
    assert open_image(tmp_path / "b.tif").axes == "PTYX"
    np.testing.assert_array_equal(read_labels(tmp_path / "b.tif"), labels)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([[-1, 3]]), "from -1 to 3"),
        (np.array([[0, 2**32]]), "from 0 to 4294967296"),
        (np.array([[0.0, 1.0]]), "float64"),
    ],
)
def test_what_are_no_labels_is_not_written(tmp_path, labels, words):
    with pytest.raises(ImageError, match=words):
        write_labels(tmp_path / "a.tif", labels, "YX")
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    write_labels(path, LABELS, "YX")
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ImageError, match="cannot be written: No space left"):
        write_labels(path, LABELS * 0, "YX")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]
    assert path.read_bytes() == before


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(ImageError, match="Check that the folder exists"):
        write_labels(tmp_path / "missing" / "a.tif", LABELS, "YX")


def test_labels_from_png_and_npy(tmp_path):
    PIL.Image.fromarray(LABELS).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", LABELS.astype("i8"))
    np.save(tmp_path / "b.npy", LABELS.astype(">f4"))
    for name in ("a.png", "a.npy", "b.npy"):
        np.testing.assert_array_equal(read_labels(tmp_path / name), LABELS)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_jpeg_does_not_keep_labels(tmp_path, name):
    PIL.Image.fromarray((LABELS > 0).astype("u1") * 255).save(
        tmp_path / name, format="JPEG"
    )
    assert len(np.unique(open_image(tmp_path / name).data)) > 2
    with pytest.raises(ImageError, match=f"'{name}' is a JPEG"):
        read_labels(tmp_path / name)


def test_a_palette_colours_classes_but_the_numbers_count(tmp_path):
    picture = PIL.Image.fromarray((LABELS % 7).astype("u1"))
    picture.putpalette([i * 30 for i in range(7) for _ in range(3)])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), LABELS % 7)


def test_axes_of_size_1_do_not_matter(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", LABELS)
    assert read_labels(tmp_path / "a.tif", (1, 48, 64)).shape == (1, 48, 64)
    np.save(tmp_path / "a.npy", LABELS[None])
    assert read_labels(tmp_path / "a.npy", (48, 64)).shape == (48, 64)


STACK = np.random.default_rng(0).integers(0, 9, (3, 3, 20, 30)).astype(np.uint8)


def test_labels_are_turned_to_the_axes_of_their_image(tmp_path):
    tifffile.imwrite(tmp_path / "image.ome.tif", STACK, metadata={"axes": "ZTYX"})
    image = open_image(tmp_path / "image.ome.tif")
    # As Fiji orders them, and as this program does.
    write_labels(tmp_path / "labels.tif", STACK, "ZTYX")
    assert open_image(tmp_path / "labels.tif").axes == "TZYX"
    np.testing.assert_array_equal(read_labels_of(image, tmp_path / "labels.tif"), STACK)
    np.testing.assert_array_equal(
        read_labels(tmp_path / "labels.tif", STACK.shape, "ZTYX"), STACK
    )


@pytest.mark.parametrize("name", ["tiff", "npy", "zarr"])
def test_labels_without_axes_have_those_of_their_image(tmp_path, name):
    for part in ("image", "labels"):
        path = tmp_path / f"{part}.{name}"
        if name == "tiff":
            tifffile.imwrite(path, STACK[0, 0])
        elif name == "npy":
            with path.open("wb") as file:
                np.save(file, STACK[0, 0])
        else:
            zarr.create_array(path, data=STACK[0, 0])
    image = open_image(tmp_path / f"image.{name}", "XY")
    labels = read_labels_of(image, tmp_path / f"labels.{name}")
    np.testing.assert_array_equal(labels, STACK[0, 0].T)
    np.testing.assert_array_equal(labels, image.read(image.whole())[0])


def test_other_letters_for_the_same_planes_are_taken_in_order(tmp_path):
    tifffile.imwrite(tmp_path / "image.tif", STACK[0], photometric="minisblack")
    write_labels(tmp_path / "labels.tif", STACK[0], "ZYX")
    image = open_image(tmp_path / "image.tif", "TYX")
    np.testing.assert_array_equal(
        read_labels_of(image, tmp_path / "labels.tif"), STACK[0]
    )
    write_labels(tmp_path / "single.tif", STACK[:1], "TZYX")
    image = open_image(tmp_path / "image.tif", "ZYX")
    np.testing.assert_array_equal(
        read_labels_of(image, tmp_path / "single.tif"), STACK[0]
    )


def test_labels_that_are_too_large_for_memory_are_not_called_damaged(tmp_path):
    side = 2**25  # more bytes than there are addresses
    zarr.open_array(
        tmp_path / "a.zarr",
        mode="w",
        shape=(side, side),
        chunks=(4096, 4096),
        dtype="u1",
    )
    with pytest.raises(ImageError, match="too large for the memory") as told:
        read_labels(tmp_path / "a.zarr")
    assert "damaged" not in str(told.value)


def test_what_are_no_labels_is_not_read(tmp_path):
    def refused(name, words, shape=None):
        with pytest.raises(ImageError, match=words):
            read_labels(tmp_path / name, shape)

    PIL.Image.fromarray(np.zeros((8, 8, 3), "u1")).save(tmp_path / "rgb.png")
    refused("rgb.png", "'rgb.png' is a colour picture")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), "u1"), photometric="rgb")
    refused("rgb.tif", "is a colour picture")
    np.save(tmp_path / "half.npy", np.full((8, 8), 0.5))
    refused("half.npy", "decimal numbers")
    np.save(tmp_path / "nan.npy", np.full((8, 8), np.nan))
    refused("nan.npy", "decimal numbers")
    np.save(tmp_path / "inf.npy", np.full((8, 8), np.inf))
    refused("inf.npy", "decimal numbers")
    np.save(tmp_path / "negative.npy", np.full((8, 8), -1))
    refused("negative.npy", "from -1 to -1")
    np.save(tmp_path / "small.npy", np.zeros((8, 8), "u1"))
    refused("small.npy", "size 8 x 8, but 8 x 9 is needed", (8, 9))
    refused("missing.tif", "no file")
