import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_unet.errors import ImageError
from napari_unet.images import Region, open_image

RNG = np.random.default_rng(0)


def write(path, shape, dtype="u2", **options):
    data = RNG.integers(0, 2 if dtype == "?" else 100, shape).astype(dtype)
    tifffile.imwrite(path, data, **options)
    return data


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8"]
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_types_and_byte_orders(tmp_path, dtype, byteorder, how):
    path = tmp_path / "a.tif"
    data = write(path, (40, 50), dtype, byteorder=byteorder, **how)
    image = open_image(path)
    assert (image.axes, image.notes) == ("YX", ())
    pixels = image.read(Region(3, 5, 33, 47))
    assert pixels.dtype.isnative and pixels.dtype.kind == np.dtype(dtype).kind
    np.testing.assert_array_equal(pixels[0], data[3:33, 5:47])


@pytest.mark.parametrize("compression", ["lzw", "packbits", "zstd", "lzma", "deflate"])
def test_compressions(tmp_path, compression):
    data = write(tmp_path / "a.tif", (40, 50), compression=compression)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.read(image.whole())[0], data)


def test_uncompressed_is_mapped_and_compressed_is_read_in_strips(tmp_path):
    write(tmp_path / "plain.tif", (400, 500))
    assert isinstance(open_image(tmp_path / "plain.tif").data, np.memmap)
    write(tmp_path / "strips.tif", (400, 500), compression="zlib", rowsperstrip=8)
    assert open_image(tmp_path / "strips.tif").data.chunks == (8, 500)
    write(tmp_path / "tiles.tif", (400, 500), compression="zlib", tile=(64, 64))
    assert open_image(tmp_path / "tiles.tif").data.chunks == (64, 64)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("YX", (20, 30)),
        ("CYX", (2, 20, 30)),
        ("ZYX", (2, 20, 30)),
        ("TYX", (2, 20, 30)),
        ("TZCYX", (2, 3, 4, 20, 30)),
    ],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_imagej_names_its_axes_and_pixel_size(tmp_path, axes, shape, compression):
    path = tmp_path / "a.tif"
    data = write(
        path,
        shape,
        imagej=True,
        resolution=(1 / 0.25, 1 / 0.5),
        metadata={"axes": axes, "unit": "um", "spacing": 2.0},
        compression=compression,
    )
    image = open_image(path)
    assert (image.axes, image.notes) == (axes, ())
    assert image.pixel_size == {"Y": 0.5, "X": 0.25, "Z": 2.0}
    plane = dict.fromkeys(image.stack_axes, 1)
    pixels = image.read(image.whole(plane))
    wanted = data[tuple(1 if a in plane else slice(None) for a in axes)]
    np.testing.assert_array_equal(pixels, wanted.reshape(pixels.shape))


@pytest.mark.parametrize("unit", ["µm", "nm"])
def test_ome_tiff_names_its_axes_and_pixel_size(tmp_path, unit):
    path = tmp_path / "embryo.ome.tif"
    metadata = {"axes": "TCZYX"}
    for axis, size in {"X": 0.25, "Y": 0.5, "Z": 2.0}.items():
        metadata[f"PhysicalSize{axis}"] = size
        metadata[f"PhysicalSize{axis}Unit"] = unit
    data = write(path, (2, 3, 4, 20, 30), metadata=metadata)
    image = open_image(path)
    assert (image.name, image.axes, image.notes) == ("embryo", "TCZYX", ())
    factor = 1 if unit == "µm" else 1e-3
    assert image.pixel_size == {"Z": 2 * factor, "Y": factor / 2, "X": factor / 4}
    pixels = image.read(image.whole({"T": 1, "Z": 3}), [2, 0])
    np.testing.assert_array_equal(pixels, data[1, [2, 0], 3])


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_are_one_image(tmp_path, samples, planar):
    shape = (20, 30, samples) if planar == "contig" else (samples, 20, 30)
    data = write(
        tmp_path / "a.tif", shape, "u1", photometric="rgb", planarconfig=planar
    )
    image = open_image(tmp_path / "a.tif")
    assert (image.rgb, image.n_channels, image.stack_shape) == (True, samples, ())
    wanted = np.moveaxis(data, -1, 0) if planar == "contig" else data
    np.testing.assert_array_equal(image.read(image.whole()), wanted)


def test_samples_without_colours_are_channels(tmp_path):
    write(
        tmp_path / "a.tif",
        (5, 20, 30),
        photometric="minisblack",
        planarconfig="separate",
    )
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.rgb, image.n_channels) == ("CYX", False, 5)


def test_jpeg_inside_a_tiff_as_slide_scanners_write_it(tmp_path):
    write(
        tmp_path / "a.tif",
        (64, 64, 3),
        "u1",
        photometric="rgb",
        compression="jpeg",
        tile=(32, 32),
    )
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.rgb) == ("YXC", True)
    assert image.read(image.whole()).shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("pages", "axes", "words"), [(3, "CYX", "3 C"), (12, "ZYX", "12 Z")]
)
def test_pages_without_names_are_guessed_and_it_is_said(tmp_path, pages, axes, words):
    data = RNG.integers(0, 100, (pages, 20, 30)).astype("u2")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in data:
            writer.write(page, metadata=None, contiguous=False)
    image = open_image(tmp_path / "a.tif")
    assert image.axes == axes
    assert words in image.notes[0]
    write(tmp_path / "b.tif", (pages, 20, 30), photometric="minisblack")
    assert open_image(tmp_path / "b.tif").axes == axes


def test_of_a_pyramid_the_finest_level_is_taken(tmp_path):
    data = RNG.integers(0, 100, (128, 96)).astype("u2")
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        writer.write(data, subifds=1, tile=(32, 32), compression="zlib")
        writer.write(data[::2, ::2], subfiletype=1, tile=(32, 32), compression="zlib")
    image = open_image(tmp_path / "a.ome.tif")
    assert image.data.shape == (128, 96)
    np.testing.assert_array_equal(image.read(image.whole())[0], data)


def test_of_several_images_the_first_is_taken_and_it_is_said(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((20, 30), "u1"))
        writer.write(np.zeros((40, 50), "u2"))
    image = open_image(tmp_path / "a.tif")
    assert image.data.shape == (20, 30)
    assert "2 images" in image.notes[0]


def test_planes_that_an_ome_tiff_lacks_are_black_and_it_is_said(tmp_path):
    path = tmp_path / "a.ome.tif"
    write(path, (3, 20, 30), metadata={"axes": "TYX"})
    content = path.read_bytes()
    assert content.count(b'SizeT="3"') == 1
    path.write_bytes(content.replace(b'SizeT="3"', b'SizeT="5"'))
    image = open_image(path)
    assert image.stack_shape == (5,)
    assert image.notes == ("Planes are missing in the file; they are black.",)
    assert not image.read(image.whole({"T": 4})).any()


def test_what_is_odd_in_a_file_is_a_note_and_not_printed(tmp_path):
    path = tmp_path / "a.tif"
    data = write(path, (20, 30), metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        at = tif.pages[0].tags["Software"].offset
    content[at + 2 : at + 4] = b"\xff\xff"  # no type of a tag
    path.write_bytes(content)
    opened = subprocess.run(
        [sys.executable, "-c", "import sys; from napari_unet.images import open_image;"
         "print(*open_image(sys.argv[1]).notes, sep='|')", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert opened.stderr == ""
    (note,) = opened.stdout.splitlines()
    assert "not as it should be" in note and "invalid data type" in note
    image = open_image(path)
    np.testing.assert_array_equal(image.read(image.whole())[0], data)


def test_the_pixel_size_of_a_plain_tiff_is_not_believed(tmp_path):
    write(tmp_path / "a.tif", (20, 30), resolution=(72, 72), resolutionunit="inch")
    assert open_image(tmp_path / "a.tif").pixel_size == {}


def test_damage_found_when_reading_names_the_image(tmp_path):
    path = tmp_path / "a.tif"
    write(path, (400, 500), compression="zlib", rowsperstrip=8)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[0].dataoffsets[20]
    content = bytearray(path.read_bytes())
    content[offset : offset + 50] = b"\xff" * 50
    path.write_bytes(content)
    image = open_image(path)
    image.read(Region(0, 0, 8, 8))
    with pytest.raises(ImageError, match="'a' cannot be read"):
        image.read(image.whole())
