import math
import warnings

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from napari_unet.images import IntensityRange, image_from_array, measure_intensity
from napari_unet.images.chunks import chunk_shape

DTYPES = ["?", "u1", "i1", "<u2", ">u2", "i2", ">i4", "u4", "i8", "u8"]
DTYPES += ["f2", ">f4", "f4", "f8", ">f8"]


def normalise(data, axes=None):
    image = image_from_array(data, axes)
    channels = range(image.n_channels)
    pixels = image.read(image.whole())
    return measure_intensity(image, channels).apply(pixels)


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda d: npst.arrays(d, npst.array_shapes(min_dims=2, max_dims=2))
    )
)
def test_every_image_becomes_finite_float32_within_bounds(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = normalise(data)
    assert scaled.dtype == np.float32
    assert np.isfinite(scaled).all()
    assert scaled.min() >= -1 and scaled.max() <= 3


@pytest.mark.parametrize("dtype", ["u1", "i1", ">u2", "i2", ">u4", "i8", "f4", ">f8"])
def test_percentiles_become_0_and_1_whatever_the_type(dtype):
    ramp = np.arange(10_000).reshape(100, 100) // 100
    scaled = normalise(ramp.astype(dtype))
    assert np.percentile(scaled, 1) == pytest.approx(0, abs=0.02)
    assert np.percentile(scaled, 99.8) == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(scaled, normalise(ramp.astype(float)), atol=1e-5)


def test_the_same_picture_in_other_units_is_the_same():
    rng = np.random.default_rng(0)
    ramp = rng.integers(0, 255, (64, 64))
    same = normalise(ramp.astype("u1"))
    for other in (
        ramp.astype("f8") * 1e-20,
        ramp.astype("f8") * 1e300,
        ramp.astype("u4") + 4_000_000_000,
        ramp.astype("i2") - 300,
        ramp.astype("i8") * 10**16,
    ):
        np.testing.assert_allclose(normalise(other), same, atol=1e-5)


def test_constant_images_become_0():
    for value in (0, 255):
        assert not normalise(np.full((8, 8), value, "u1")).any()
    assert not normalise(np.full((8, 8), np.nan)).any()
    assert not normalise(np.full((8, 8), 1e-300)).any()


def test_nan_and_infinities_do_not_count_and_stay_in_bounds():
    data = np.tile(np.linspace(0, 100, 64, dtype="f4"), (64, 1))
    clean = normalise(data)
    data[0, :3] = np.nan, np.inf, -np.inf
    scaled = normalise(data)
    assert scaled[0, 0, :3].tolist() == [0, 3, -1]
    np.testing.assert_allclose(scaled[0, 1:], clean[0, 1:], atol=1e-3)


def test_few_bright_pixels_on_black_are_not_lost():
    data = np.zeros((256, 256), "u2")
    data[10:13, 10:13] = 900
    image = image_from_array(data)
    assert measure_intensity(image, [0]) == IntensityRange((0.0,), (900.0,))
    saturated = np.full((256, 256), 65535, "u2")
    saturated[0, 0] = 5
    assert normalise(saturated)[0, 0, 0] == 0
    assert normalise(saturated).max() == 1


def test_hot_pixels_do_not_darken_the_picture():
    data = np.tile(np.arange(256, dtype="u2"), (256, 1))
    before = normalise(data)
    data[0, 0] = 65535
    after = normalise(data)
    assert after[0, 0, 0] == 3
    np.testing.assert_allclose(after[0, 1:], before[0, 1:], atol=0.01)


def test_all_planes_count_and_each_channel_has_its_own_range():
    data = np.zeros((3, 2, 64, 64), "u2")
    data[0, 0], data[2, 0] = 100, 300
    data[:, 1] = np.arange(64)
    image = image_from_array(data, "ZCYX")
    measured = measure_intensity(image, (1, 0, 0), low=0, high=100)
    assert measured == IntensityRange((0, 0, 0), (63, 300, 300))
    pixels = image.read(image.whole({"Z": 2}), (1, 0, 0))
    scaled = measured.apply(pixels)
    assert (scaled[1:] == 1).all()
    np.testing.assert_allclose(scaled[0, 0], np.arange(64) / 63, rtol=1e-6)


def test_a_big_image_is_sampled_over_its_whole_area():
    data = np.tile(np.linspace(0, 60_000, 3000).astype("u2"), (3000, 1))
    measured = measure_intensity(image_from_array(data), [0])
    low, high = np.percentile(data, [1, 99.8])
    assert measured.low[0] == pytest.approx(low, abs=60)
    assert measured.high[0] == pytest.approx(high, abs=60)


def test_a_huge_lazy_image_is_read_in_part_and_the_same_each_time():
    read = []

    def block(block_info=None):
        info = block_info[None]
        read.append(info["chunk-location"])
        return np.full(info["chunk-shape"], info["chunk-location"][0], "u1")

    side = 2048
    data = da.map_blocks(
        block, chunks=((1,) * 200, (side,), (side,)), dtype="u1", meta=np.zeros((0,))
    )
    image = image_from_array(data.astype("u1"), "TYX")
    first = measure_intensity(image, [0])
    assert 0 < len(read) <= 64
    assert len(set(read)) == len(read)
    assert first == measure_intensity(image, [0])
    assert first.low[0] < 20 and first.high[0] > 180


def test_an_image_of_xarray_is_read_in_its_chunks():
    class DataArray:
        """What readers of napari hand over: xarray has no `chunksize`."""

        dtype, shape = np.dtype("u1"), (2, 40, 60)
        chunks = ((1, 1), (30, 10), (25, 25, 10))

        def __getitem__(self, index):
            return np.arange(4800, dtype="u1").reshape(self.shape)[index]

    image = image_from_array(DataArray(), "ZYX")
    assert chunk_shape(image) == (30, 25)
    same = image_from_array(image.data[:], "ZYX")
    assert measure_intensity(image, [0]) == measure_intensity(same, [0])


@pytest.mark.parametrize(
    ("low", "high"),
    [((0,), ()), ((2,), (1,)), ((math.nan,), (1,)), ((0,), (math.inf,))],
)
def test_a_range_that_makes_no_sense_is_refused(low, high):
    with pytest.raises(ValueError, match="range"):
        IntensityRange(low, high)


def test_channels_and_ranges_must_match():
    with pytest.raises(ValueError, match="2 channels for 1"):
        IntensityRange((0,), (1,)).apply(np.zeros((2, 3, 3)))
