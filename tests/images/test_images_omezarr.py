import shutil

import numpy as np
import pytest
import zarr

from napari_unet.errors import ImageError
from napari_unet.images import Region, open_image

DATA = np.random.default_rng(0).integers(0, 1000, (2, 3, 40, 50)).astype("u2")


def axis(name):
    kinds = {"c": "channel", "t": "time"}
    if name in kinds:
        return {"name": name, "type": kinds[name]}
    return {"name": name, "type": "space", "unit": "nanometer"}


def multiscale(axes, scale):
    steps = [
        {
            "path": str(i),
            "coordinateTransformations": [
                {"type": "scale", "scale": [s * 2**i for s in scale]}
            ],
        }
        for i in range(2)
    ]
    return {"version": "0.4", "axes": axes, "datasets": steps}


def write(path, data, multiscales, zarr_format=2):
    group = zarr.create_group(str(path), zarr_format=zarr_format)
    for level, array in enumerate((data, data[..., ::2, ::2])):
        chunks = (1,) * (data.ndim - 2) + (16, 16)
        out = group.create_array(
            str(level), shape=array.shape, dtype=array.dtype, chunks=chunks
        )
        out[...] = array
    if zarr_format == 2:
        group.attrs["multiscales"] = [multiscales]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscales]}
    return group


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_axes_pixel_size_and_the_finest_level(tmp_path, zarr_format):
    path = tmp_path / "embryo.ome.zarr"
    axes = [axis(a) for a in "czyx"]
    write(path, DATA, multiscale(axes, [1, 2000, 500, 250]), zarr_format)
    image = open_image(path)
    assert (image.name, image.axes, image.notes) == ("embryo", "CZYX", ())
    assert image.pixel_size == pytest.approx({"Z": 2, "Y": 0.5, "X": 0.25})
    assert image.data.shape == DATA.shape and image.data.chunks[-2:] == (16, 16)
    pixels = image.read(Region(5, 6, 33, 47, {"Z": 2}), [1])
    np.testing.assert_array_equal(pixels[0], DATA[1, 2, 5:33, 6:47])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_what_the_ome_zarr_library_writes(tmp_path, version):
    from ome_zarr.format import format_from_version
    from ome_zarr.writer import write_image

    path = tmp_path / "a.zarr"
    write_image(DATA, str(path), axes="tcyx", fmt=format_from_version(version))
    image = open_image(path)
    assert (image.axes, image.notes) == ("TCYX", ())
    np.testing.assert_array_equal(image.read(image.whole({"T": 1})), DATA[1])


def test_old_versions(tmp_path):
    write(tmp_path / "v3.zarr", DATA[0], multiscale(["t", "y", "x"], [1, 1, 1]))
    assert open_image(tmp_path / "v3.zarr").axes == "TYX"
    write(tmp_path / "v1.zarr", DATA[None], multiscale([], [1] * 5))
    assert open_image(tmp_path / "v1.zarr").axes == "TCZYX"


def test_names_that_say_nothing_are_guessed_and_it_is_said(tmp_path):
    axes = [{"name": "c"}, {"name": "c"}, {"name": "y"}, {"name": "x"}]
    write(tmp_path / "a.zarr", DATA, multiscale(axes, [1] * 4))
    image = open_image(tmp_path / "a.zarr")
    assert image.axes == "CZYX" and image.notes


def test_a_plain_array_and_the_names_of_zarr_3(tmp_path):
    zarr.save_array(str(tmp_path / "plain.zarr"), DATA[0])
    image = open_image(tmp_path / "plain.zarr")
    assert image.axes == "CYX" and "3 C" in image.notes[0]
    named = zarr.create_array(
        str(tmp_path / "named.zarr"), data=DATA[0], dimension_names=("z", "y", "x")
    )
    assert named.shape == (3, 40, 50)
    image = open_image(tmp_path / "named.zarr")
    assert (image.axes, image.notes) == ("ZYX", ())


def test_what_bioformats2raw_writes(tmp_path):
    root = zarr.create_group(str(tmp_path / "a.zarr"), zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    write(
        tmp_path / "a.zarr" / "0", DATA, multiscale([axis(a) for a in "tcyx"], [1] * 4)
    )
    image = open_image(tmp_path / "a.zarr")
    assert image.axes == "TCYX" and "the first one" in image.notes[0]


def test_folders_that_are_no_image(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ImageError, match="'photos' is not an OME-Zarr image"):
        open_image(tmp_path / "photos")
    zarr.create_group(str(tmp_path / "empty.zarr"))
    with pytest.raises(ImageError, match="no 'multiscales'"):
        open_image(tmp_path / "empty.zarr")
    plate = zarr.create_group(str(tmp_path / "plate.zarr"))
    plate.attrs["ome"] = {"plate": {"wells": [{"path": "B/3"}]}}
    with pytest.raises(ImageError, match=r"plate.*plate\.zarr/B/3/0"):
        open_image(tmp_path / "plate.zarr")


def test_a_missing_level_and_broken_metadata(tmp_path):
    path = tmp_path / "a.zarr"
    write(path, DATA, multiscale([axis(a) for a in "tcyx"], [1] * 4))
    shutil.rmtree(path / "0")
    with pytest.raises(ImageError, match="its part '0' is missing"):
        open_image(path)
    (path / ".zattrs").write_text('{"multiscales": [{}]}')
    with pytest.raises(ImageError, match=r"'a\.zarr' cannot be opened"):
        open_image(path)
    (path / ".zattrs").write_text('{"multisc')
    with pytest.raises(ImageError, match=r"'a\.zarr' cannot be opened"):
        open_image(path)


def test_a_damaged_chunk_is_reported(tmp_path):
    path = tmp_path / "a.zarr"
    write(path, DATA, multiscale([axis(a) for a in "tcyx"], [1] * 4))
    chunk = next(p for p in (path / "0").rglob("*") if p.name == "0.0.1.1")
    chunk.write_bytes(b"\xff" * 20)
    image = open_image(path)
    image.read(Region(0, 0, 16, 16, {"T": 0}))
    with pytest.raises(ImageError, match="'a' cannot be read"):
        image.read(image.whole({"T": 0}))


@pytest.mark.parametrize(("zarr_format", "chunk"), [(2, "0.0.1.1"), (3, "c/0/0/1/1")])
def test_a_missing_chunk_is_said(tmp_path, zarr_format, chunk):
    path = tmp_path / "a.zarr"
    axes = multiscale([axis(a) for a in "tcyx"], [1] * 4)
    write(path, DATA, axes, zarr_format)
    assert open_image(path).notes == ()
    (path / "0" / chunk).unlink()
    assert "1 of its 72 parts have no file" in open_image(path).notes[0]


def test_each_shard_is_a_part(tmp_path):
    options = {"shape": (64, 64), "chunks": (16, 16), "shards": (32, 32)}
    array = zarr.create_array(str(tmp_path / "a.zarr"), dtype="u1", **options)
    array[:32] = 1
    assert "2 of its 4 parts" in open_image(tmp_path / "a.zarr").notes[0]
