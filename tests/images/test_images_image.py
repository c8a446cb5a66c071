import tracemalloc

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_unet.errors import ImageError
from napari_unet.images import Image, Region, image_from_array

SIZES = {"T": 2, "Z": 3, "C": 4, "Y": 7, "X": 9}


def expected(data, axes, plane, channels):
    """The same cut, by numpy alone: first the plane, then C to the front."""
    moved = np.moveaxis(
        data, [axes.index(a) for a in "TZCYX" if a in axes], range(len(axes))
    )
    moved = moved[tuple(plane[a] for a in "TZ" if a in axes)]
    moved = moved if "C" in axes else moved[None]
    return moved if channels is None else moved[list(channels)]


@given(
    st.sets(st.sampled_from("TZC")).flatmap(
        lambda s: st.permutations([*sorted(s), "Y", "X"])
    ),
    st.sampled_from(["?", "u1", "<u2", ">u2", ">i4", "u8", "f2", ">f4", "f8", "g"]),
    st.data(),
)
def test_read_gives_channels_rows_columns_of_any_layout(letters, dtype, draw):
    axes = "".join(letters)
    shape = tuple(SIZES[a] for a in axes)
    data = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
    data.flags.writeable = False
    image = Image(data, axes)
    planes = list(image.planes())
    assert len(planes) == np.prod(image.stack_shape, dtype=int)
    plane = draw.draw(st.sampled_from(planes))
    channel = st.integers(0, image.n_channels - 1)
    channels = draw.draw(st.none() | st.lists(channel, min_size=1, max_size=5))
    y0, x0 = draw.draw(st.integers(0, 6)), draw.draw(st.integers(0, 8))
    y1, x1 = draw.draw(st.integers(y0 + 1, 7)), draw.draw(st.integers(x0 + 1, 9))

    pixels = image.read(Region(y0, x0, y1, x1, plane), channels)

    whole = expected(data, axes, plane, channels)
    np.testing.assert_array_equal(pixels, whole[:, y0:y1, x0:x1])
    assert pixels.dtype == data.dtype.newbyteorder("=")
    assert pixels.dtype.isnative
    assert pixels.flags.c_contiguous and pixels.flags.owndata and pixels.flags.writeable


@pytest.mark.parametrize("axes", ["ZCYX", "ZYXC"])
def test_dask_zarr_and_views_read_as_numpy_does(axes, tmp_path):
    shape = tuple(SIZES[a] for a in axes)
    data = np.random.default_rng(1).integers(0, 9999, shape).astype("u2")
    strided = np.repeat(data, 2, axis=2)[:, :, ::2][::-1][::-1]
    holders = [
        data,
        strided,
        da.from_array(data, chunks=2),
        zarr.array(data, store=str(tmp_path / "a.zarr"), chunks=(2,) * 4),
        [data, data[:, :, ::2]],
    ]
    for holder in holders:
        image = image_from_array(holder, axes)
        for channels in (None, (0, 3), (2, 2, 1)):
            pixels = image.read(Region(1, 2, 6, 8, {"Z": 1}), channels)
            np.testing.assert_array_equal(
                pixels,
                expected(data, axes, {"Z": 1}, channels)[:, 1:6, 2:8],
            )


def test_only_the_blocks_that_are_needed_are_computed():
    computed = []

    def block(block_info=None):
        computed.append(block_info[None]["chunk-location"])
        return np.zeros((1, 8, 8), "u1")

    data = da.map_blocks(block, chunks=((1,) * 5, (8,) * 4, (8,) * 4), dtype="u1")
    image = image_from_array(data, "ZYX")
    assert computed == []
    image.read(Region(8, 16, 16, 24, {"Z": 3}))
    assert computed == [(3, 1, 2)]


def test_a_huge_image_costs_nothing_until_read():
    data = np.broadcast_to(np.uint16(7), (1000, 100_000, 100_000))
    tracemalloc.start()
    image = image_from_array(data, "TYX")
    pixels = image.read(Region(50_000, 50_000, 50_064, 50_064, {"T": 999}))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert (pixels == 7).all()


@pytest.mark.parametrize(
    ("shape", "axes", "rgb"),
    [
        ((7, 9), "YX", False),
        ((40, 7, 9), "ZYX", False),
        ((3, 7, 9), "CYX", False),
        ((7, 9, 3), "YXC", True),
        ((7, 9, 4), "YXC", True),
        ((7, 9, 2), "YXC", False),
        ((20, 2, 7, 9), "ZCYX", False),
        ((5, 20, 7, 9), "TZYX", False),
        ((5, 20, 7, 9, 3), "TZYXC", True),
        ((5, 3, 20, 7, 9), "TCZYX", False),
        ((5, 6, 7, 8, 9), "PTZYX", False),
    ],
)
def test_missing_axes_are_guessed_and_it_is_said(shape, axes, rgb):
    image = image_from_array(np.zeros(shape, "u1"))
    assert (image.axes, image.rgb) == (axes, rgb)
    assert bool(image.notes) == (len(shape) > 2)
    if image.notes:
        assert f"{shape[0]} {axes[0]}" in image.notes[0]


def test_napari_pyramids_and_rgb_layers():
    from napari.layers import Image as Layer

    finest = np.random.default_rng(0).integers(0, 255, (64, 48, 3)).astype("u1")
    layer = Layer([finest, finest[::2, ::2]], rgb=True, multiscale=True)
    image = image_from_array(layer.data, rgb=layer.rgb, name="he")
    assert (image.axes, image.rgb, image.name, image.notes) == ("YXC", True, "he", ())
    assert image.data.shape == finest.shape
    np.testing.assert_array_equal(image.read(image.whole())[1], finest[..., 1])

    stack = image_from_array(np.zeros((6, 7, 9, 3), "u1"), rgb=True)
    assert (stack.axes, stack.n_channels, stack.stack_shape) == ("ZYXC", 3, (6,))


def test_axes_may_be_given():
    image = image_from_array(np.zeros((3, 7, 9)), "tyx")
    assert (image.axes, image.notes) == ("TYX", ())
    assert image_from_array(np.zeros((7, 9, 3)), "YXS", rgb=True).axes == "YXC"


@pytest.mark.parametrize(
    ("data", "axes", "rgb", "words"),
    [
        (np.zeros((7, 9)), "ZYX", False, "2 axes"),
        (np.zeros((7, 9)), "YY", False, "none of them twice"),
        (np.zeros((7, 9)), "ZX", False, "lack Y or X"),
        (np.zeros((7, 9)), "Y1", False, "one capital letter"),
        (np.zeros((0, 9)), None, False, "empty"),
        (np.zeros(9), None, False, "at least two"),
        (np.zeros((7, 9), complex), None, False, "complex128"),
        (np.array([["a"]]), None, False, "brightness"),
        (np.zeros((7, 9, 2)), "YXC", True, "three or four"),
        (np.zeros((7, 9, 9)), None, True, "three or four"),
        ("cells.tif", None, False, "str"),
        ([], None, False, "list"),
        (None, None, False, "NoneType"),
    ],
)
def test_what_is_no_image_is_refused(data, axes, rgb, words):
    with pytest.raises(ImageError, match=words):
        image_from_array(data, axes, rgb)


def test_regions_outside_and_missing_channels():
    image = image_from_array(np.zeros((4, 7, 9)), "ZYX")
    for region in (
        Region(0, 0, 8, 9, {"Z": 0}),
        Region(-1, 0, 7, 9, {"Z": 0}),
        Region(0, 0, 7, 9, {"Z": 4}),
        Region(0, 0, 7, 9, {"Z": -1}),
        Region(0, 0, 7, 9),
        Region(0, 0, 7, 9, {"Z": 0, "T": 0}),
    ):
        with pytest.raises(ValueError, match="not inside"):
            image.read(region)
    with pytest.raises(ImageError, match="no channel 1"):
        image.read(image.whole({"Z": 0}), [1])


def test_a_reader_that_fails_is_reported_as_the_image():
    def fail(block):
        raise KeyError("frame 17")

    data = da.zeros((8, 8), dtype="u1", chunks=4).map_blocks(fail, meta=np.zeros((0,)))
    image = image_from_array(data, name="movie")
    with pytest.raises(ImageError, match=r"'movie' cannot be read.*frame 17"):
        image.read(image.whole())
