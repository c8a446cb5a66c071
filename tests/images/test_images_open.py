import os
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_unet.errors import ImageError
from napari_unet.images import open_image, simulate_nuclei

NUCLEI = simulate_nuclei((48, 64))[0]


def pixels(image):
    planes = [image.read(image.whole(plane)) for plane in image.planes()]
    return np.stack(planes).reshape(*image.stack_shape, -1, *image.plane_shape)


def picture(dtype, channels):
    shape = (24, 32, channels) if channels > 1 else (24, 32)
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png(tmp_path, dtype, channels):
    import imagecodecs

    data = picture(dtype, channels)
    path = tmp_path / "cells.png"
    path.write_bytes(imagecodecs.png_encode(data))
    image = open_image(path)
    assert image.rgb == (channels >= 3)
    assert (image.name, image.dtype, image.notes) == ("cells", np.dtype(dtype), ())
    # The opacity of grey is no channel.
    wanted = data if channels == 1 else data[..., 0] if channels == 2 else data
    assert image.axes == ("YXC" if channels >= 3 else "YX")
    wanted = wanted if wanted.ndim == 2 else np.moveaxis(wanted, -1, 0)
    np.testing.assert_array_equal(pixels(image).squeeze(), wanted)


COLOUR = ["P", "RGB", "RGBA", "CMYK"]


@pytest.mark.parametrize(
    ("ending", "mode"),
    [
        *(("png", m) for m in ("1", "L", "P", "RGB", "RGBA", "I;16")),
        *(("jpg", m) for m in ("1", "L", "RGB", "CMYK")),
        *(("bmp", m) for m in ("1", "L", "P", "RGB", "RGBA")),
        *(("tif", m) for m in ("1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I;16")),
    ],
)
def test_every_mode_of_pillow(tmp_path, ending, mode):
    path = tmp_path / f"cells.{ending}"
    source = PIL.Image.fromarray(picture("u2", 1))
    if mode != "I;16":
        source = PIL.Image.fromarray(picture("u1", 3)).convert(mode)
    source.save(path)
    image = open_image(path)
    assert image.plane_shape == (24, 32)
    # A TIFF's palette is left alone: its numbers are the pixels.
    assert image.rgb == (mode in COLOUR and (ending, mode) != ("tif", "P"))
    assert pixels(image).any()


def test_jpeg_is_one_image_of_three_channels(tmp_path):
    path = tmp_path / "he.JPG"
    PIL.Image.fromarray(picture("u1", 3)).save(path, quality=100)
    image = open_image(path)
    assert (image.axes, image.rgb, image.n_channels) == ("YXC", True, 3)
    assert image.stack_shape == ()


def test_a_picture_of_many_frames_says_that_the_first_was_taken(tmp_path):
    frames = [PIL.Image.fromarray(picture("u1", 1) // (i + 1)) for i in range(3)]
    path = tmp_path / "film.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert "3 pictures" in open_image(path).notes[0]


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_mapped(tmp_path, order):
    data = np.asarray(np.stack([NUCLEI] * 5), ">u2", order=order)
    np.save(tmp_path / "stack.npy", data)
    image = open_image(tmp_path / "stack.npy")
    assert isinstance(image.data, np.memmap)
    assert image.axes == "ZYX" and "5 Z" in image.notes[0]
    np.testing.assert_array_equal(pixels(image)[:, 0], data)


@pytest.mark.parametrize("ending", ["tif", "jpg"])
def test_inks_become_red_green_and_blue(tmp_path, ending):
    dark = PIL.Image.new("RGB", (32, 24), (200, 10, 10))
    dark.convert("CMYK").save(tmp_path / f"a.{ending}")
    colour = pixels(open_image(tmp_path / f"a.{ending}"))[:, 0, 0].tolist()
    assert colour == pytest.approx([200, 10, 10], abs=6)


def test_axes_may_be_given(tmp_path):
    path = tmp_path / "stack.npy"
    np.save(path, np.stack([NUCLEI] * 5))
    image = open_image(path, axes="tyx")
    assert (image.axes, image.notes) == ("TYX", ())
    with pytest.raises(ImageError, match=f"^'{path.name}': The image has 3 axes"):
        open_image(path, axes="YX")
    colour = tmp_path / "colour.npy"
    np.save(colour, np.stack([NUCLEI] * 3, axis=-1))
    image = open_image(colour, axes="yxs")
    assert (image.axes, image.rgb) == ("YXC", True)


def test_given_axes_leave_the_other_notes(tmp_path):
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.stack([NUCLEI] * 5), photometric="minisblack", metadata=None)
        writer.write(NUCLEI[:20], metadata=None)
    guessed, several = open_image(path).notes
    assert "Not all axes" in guessed
    assert open_image(path, axes="TYX").notes == (several,)


def test_the_content_counts_and_not_the_ending(tmp_path):
    tifffile.imwrite(tmp_path / "really_tiff.png", NUCLEI)
    np.testing.assert_array_equal(
        pixels(open_image(tmp_path / "really_tiff.png"))[0], NUCLEI
    )


def test_missing(tmp_path):
    with pytest.raises(ImageError, match=r"no file .*nothing\.tif"):
        open_image(tmp_path / "nothing.tif")


@pytest.mark.parametrize("ending", ["tif", "png", "npy", "jpg", "czi"])
def test_empty(tmp_path, ending):
    path = tmp_path / f"cells.{ending}"
    path.touch()
    with pytest.raises(ImageError, match=f"'cells.{ending}' is an empty file"):
        open_image(path)


@pytest.mark.parametrize("ending", ["tif", "png", "npy", "txt"])
def test_no_image(tmp_path, ending):
    path = tmp_path / f"cells.{ending}"
    path.write_text("these are not the cells you are looking for")
    with pytest.raises(ImageError, match=r"not an image.*Save it as TIFF"):
        open_image(path)


def test_npy_of_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError, match=r"'a\.npy' cannot be opened"):
        open_image(tmp_path / "a.npy")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_not_permitted(tmp_path):
    path = tmp_path / "cells.npy"
    np.save(path, NUCLEI)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(ImageError, match="may not be read by you"):
        open_image(path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX device files")
def test_an_error_of_the_file_system_is_reported(tmp_path):
    loop = tmp_path / "loop.tif"
    loop.symlink_to(loop)
    with pytest.raises(ImageError, match=r"loop\.tif"):
        open_image(loop)


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.tif"
    os.mkfifo(pipe)
    with pytest.raises(ImageError, match=r"pipe\.tif' is no file"):
        open_image(pipe)


def files(folder):
    for name, options in {
        "plain": {},
        "big_endian": {"byteorder": ">"},
        "zlib": {"compression": "zlib"},
        "lzw": {"compression": "lzw"},
        "tiles": {"tile": (16, 16)},
    }.items():
        tifffile.imwrite(folder / f"{name}.tif", NUCLEI, **options)
    stack = np.stack([NUCLEI] * 3)
    tifffile.imwrite(folder / "ij.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "a.ome.tif", stack, metadata={"axes": "ZYX"})
    PIL.Image.fromarray(NUCLEI).save(folder / "a.png")
    PIL.Image.fromarray(NUCLEI.astype("u1")).save(folder / "a.jpg")
    np.save(folder / "a.npy", NUCLEI)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    paths = files(tmp_path_factory.mktemp("good"))
    assert len(paths) == 10
    return [(p.name, p.read_bytes(), pixels(open_image(p))) for p in paths]


MANY = settings(
    max_examples=150, suppress_health_check=list(HealthCheck), deadline=None
)


@MANY
@given(st.integers(0, 9), st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_never_taken_for_the_whole_image(
    good_files, tmp_path_factory, number, fraction
):
    name, content, whole = good_files[number]
    path = tmp_path_factory.mktemp("cut") / name
    path.write_bytes(content[: 1 + int(fraction * (len(content) - 1))])
    try:
        image = open_image(path)
        np.testing.assert_array_equal(pixels(image).ravel(), whole.ravel())
    except ImageError:
        pass


@MANY
@given(
    st.integers(0, 9),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=5
    ),
)
def test_a_damaged_file_is_an_image_error_and_nothing_else(
    good_files, tmp_path_factory, number, changes
):
    name, content, _ = good_files[number]
    damaged = bytearray(content)
    for where, value in changes:
        damaged[where] = value
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(damaged)
    try:
        image = open_image(path)
        if np.prod(image.data.shape) < 1_000_000:
            pixels(image)
    except ImageError:
        pass


def test_importing_images_loads_nothing_heavy():
    code = (
        "import sys, napari_unet.images\n"
        "heavy = {'torch', 'skimage', 'scipy', 'dask', 'zarr', 'tifffile', 'PIL',"
        " 'imagecodecs', 'napari', 'qtpy'}\n"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["~nobody-has-this-name/a.tif", "x" * 300])
def test_a_path_that_cannot_be_is_said(name):
    with pytest.raises(ImageError):
        open_image(name)


def test_a_file_may_be_called_like_a_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("~nobody-has-this-name", np.zeros((8, 9), np.uint8))
    assert open_image("~nobody-has-this-name").plane_shape == (8, 9)


def test_objects_saved_by_numpy_are_no_image(tmp_path):
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{}], object))
    with pytest.raises(ImageError, match=r"[^.]\. It may be incomplete"):
        open_image(path)
