import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probabilities import predict_proba

from napari_unet.images import IntensityRange, Region, image_from_array
from napari_unet.inference.prepare import prepare
from napari_unet.inference.queue import TileQueue
from napari_unet.inference.tiles import Source, cut
from napari_unet.nets import FCN, UNet
from napari_unet.nets.device import Device

CPU = Device("cpu")
RANGE = IntensityRange((0.0,), (1.0,))


def lively_net(norm="batch", padding="same", depth=2, seed=0, **options):
    """A small net whose batch norms have seen data and whose classes differ."""
    torch.manual_seed(seed)
    net = UNet(1, 3, depth=depth, width=4, norm=norm, padding=padding, **options)
    side = 2 * net.halo + 4 + 2 * net.multiple
    for _ in range(20):
        net(torch.rand(2, 1, side, side))
    with torch.no_grad():
        net.classify.weight *= 8
        logits = net(torch.rand(1, 1, side, side))[:, :3]
        net.classify.bias -= logits.mean((0, 2, 3))
    return net.eval()


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width), np.float32)


def source_of(pixels):
    return Source(image_from_array(pixels, "YX"), (0,), RANGE)


def classes_by_tiles(prepared, source, tile, batch=1):
    whole = source.image.whole()
    semantic = np.full(whole.shape, 255, np.uint8)
    tiles = TileQueue(prepared, source, [whole], tile, batch)
    while tiles.next_plane is not None:
        list(tiles.advance(semantic))
    return semantic


sides = st.integers(1, 90)


@given(height=sides, width=sides, tile=st.integers(1, 64), depth=st.integers(1, 4))
def test_tiles_cover_a_plane_once(height, width, tile, depth):
    multiple = 1 << depth
    seen = np.zeros((height, width), int)
    for region in cut(Region(0, 0, height, width), tile, multiple):
        seen[region.slices] += 1
        assert max(region.shape) <= max(tile, multiple)
        assert region.y0 % multiple == region.x0 % multiple == 0
    assert (seen == 1).all()


@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    margin=st.integers(0, 50),
    data=st.data(),
)
def test_margin_shows_the_mirror_image(height, width, margin, data):
    y0 = data.draw(st.integers(0, height - 1))
    x0 = data.draw(st.integers(0, width - 1))
    pixels = noise(height, width)
    read = source_of(pixels).read(Region(y0, x0, height, width), margin, 4)

    # Mirrored pictures side by side, as far as any margin here can look.
    tall = mirror(pixels, 80)
    expected = tall[80 + y0 - margin :, 80 + x0 - margin :]
    rows, columns = read.shape[1:]
    assert rows == -(-(height - y0) // 4) * 4 + 2 * margin
    assert columns == -(-(width - x0) // 4) * 4 + 2 * margin
    np.testing.assert_array_equal(read[0], expected[:rows, :columns])


def mirror(pixels, width):
    """Extend a picture on each side by mirroring it pixel by pixel."""
    for axis in (0, 1):
        size = pixels.shape[axis]
        there_and_back = [*range(size), *range(size - 2, 0, -1)]
        after = itertools.islice(itertools.cycle(there_and_back), size + width)
        before = itertools.islice(itertools.cycle(there_and_back[::-1]), width)
        pixels = pixels.take([*reversed(list(before)), *after], axis)
    return pixels


def test_a_repeated_channel_is_read_once():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    grey = Source(
        image_from_array(pixels, "YX"), (0, 0, 0), IntensityRange((0,) * 3, (11,) * 3)
    )
    read = grey.read(Region(0, 0, 3, 4), 0, 1)
    np.testing.assert_allclose(read, np.stack([pixels / 11] * 3), rtol=1e-6)


def test_channels_keep_their_order():
    pixels = np.stack([np.full((3, 3), v, np.uint8) for v in (10, 20, 30)])
    source = Source(
        image_from_array(pixels, "CYX"), (2, 0), IntensityRange((0, 0), (30, 10))
    )
    read = source.read(Region(0, 0, 3, 3), 1, 1)
    assert read.shape == (2, 5, 5)
    np.testing.assert_allclose(read, 1)


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
@given(height=sides, width=sides, tile=st.integers(1, 64), depth=st.integers(1, 3))
@settings(max_examples=12, deadline=None)
def test_tiles_give_what_the_whole_image_gives(norm, height, width, tile, depth):
    net = lively_net(norm, depth=depth, boundary=True)
    prepared = prepare(net, CPU)
    pixels = noise(height, width)
    source = source_of(pixels)

    # Inside, the padded net on the whole image at once is the measure.
    likely = predict_proba(prepared, source, Region(0, 0, height, width))
    with torch.no_grad():
        logits = net(torch.from_numpy(pixels)[None, None])[0, :3]
    whole = logits.softmax(0).numpy()
    inside = np.s_[:, net.reach : -net.reach, net.reach : -net.reach]
    np.testing.assert_allclose(likely[inside], whole[inside], atol=1e-3)
    np.testing.assert_allclose(likely.sum(0), 1, atol=1e-5)

    # At the border too, no tile size changes the classes.
    expected = likely.argmax(0)
    top = np.sort(likely, axis=0)
    clear = top[-1] - top[-2] > 1e-3
    found = classes_by_tiles(prepared, source, tile)
    np.testing.assert_array_equal(found[clear], expected[clear])


@given(height=sides, width=sides, tile=st.integers(1, 64))
@settings(max_examples=12, deadline=None)
def test_an_unpadded_net_is_seamless(height, width, tile):
    """The overlap-tile strategy: tiles give what one large unpadded pass gives."""
    net = lively_net("none", padding="valid", depth=3).double()
    pixels = noise(height, width).astype(np.float64)
    y, x = (-(-side // net.multiple) * net.multiple for side in (height, width))
    margin = net.margin
    picture = mirror(pixels, margin + net.multiple)[net.multiple :, net.multiple :]
    picture = picture[: y + 2 * margin, : x + 2 * margin]
    with torch.no_grad():
        whole = net(torch.from_numpy(picture)[None, None])[0, :, 2:-2, 2:-2]
    assert whole.shape == (3, y, x)

    prepared = prepare(net.float(), CPU)
    source = source_of(pixels.astype(np.float32))
    likely = predict_proba(prepared, source, Region(0, 0, height, width))
    expected = whole.softmax(0).numpy()[:, :height, :width]
    np.testing.assert_allclose(likely, expected, atol=1e-4)
    top = np.sort(expected, axis=0)
    clear = top[-1] - top[-2] > 1e-3
    found = classes_by_tiles(prepared, source, tile)
    np.testing.assert_array_equal(found[clear], expected.argmax(0)[clear])


@pytest.mark.parametrize("stride", [8, 32])
def test_tiles_of_an_fcn_are_seamless(stride):
    torch.manual_seed(0)
    net = FCN(1, 3, stride=stride, width=2, max_width=4, hidden=4).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.3)
    prepared = prepare(net, CPU)
    source = source_of(noise(150, 101))
    small = classes_by_tiles(prepared, source, 32)
    large = classes_by_tiles(prepared, source, 256)
    assert len(np.unique(large)) > 1
    assert (small != large).mean() < 1e-3


@pytest.mark.parametrize("size", [(64, 64), (37, 90)])
def test_flips_make_a_prediction_that_turns_with_the_image(size):
    net = lively_net(boundary=True)
    turning = prepare(net, CPU, flips=True)
    pixels = noise(*size)
    whole = Region(0, 0, *size)
    found = predict_proba(turning, source_of(pixels), whole)
    for axes in ((0,), (1,), (0, 1)):
        flipped = source_of(np.ascontiguousarray(np.flip(pixels, axes)))
        again = np.flip(predict_proba(turning, flipped, whole), [a + 1 for a in axes])
        if size == (64, 64):
            np.testing.assert_allclose(again, found, atol=1e-4)
    plain = predict_proba(prepare(net, CPU), source_of(pixels), whole)
    assert np.abs(plain - found).max() > 1e-3
    small = classes_by_tiles(turning, source_of(pixels), 16)
    top = np.sort(found, axis=0)
    clear = top[-1] - top[-2] > 1e-3
    np.testing.assert_array_equal(small[clear], found.argmax(0)[clear])


def test_batches_give_the_same():
    prepared = prepare(lively_net(), CPU)
    source = source_of(noise(70, 101))
    one = classes_by_tiles(prepared, source, 32)
    several = classes_by_tiles(prepared, source, 32, batch=3)
    assert len(np.unique(one)) > 1
    np.testing.assert_array_equal(several, one)


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="this processor only emulates half precision, so it is never chosen",
)
def test_half_precision_hardly_depends_on_tiles():
    prepared = prepare(lively_net(), Device("cpu", "bf16", channels_last=True))
    source = source_of(noise(70, 101))
    small = classes_by_tiles(prepared, source, 16)
    large = classes_by_tiles(prepared, source, 128)
    assert (small != large).mean() < 0.01


@given(height=sides, width=sides)
@settings(max_examples=10, deadline=None)
def test_unpadded_nets_predict_every_pixel(height, width):
    net = lively_net(padding="valid")
    pixels = noise(height, width)
    likely = predict_proba(
        prepare(net, CPU), source_of(pixels), Region(0, 0, height, width)
    )

    # The paper's way, for the whole image: mirror it, let the net take its part.
    margin, multiple = net.margin, net.multiple
    mirrored = source_of(pixels).read(Region(0, 0, height, width), margin, multiple)
    with torch.no_grad():
        whole = net(torch.from_numpy(mirrored)[None]).softmax(1)[0].numpy()
    assert likely.shape == (3, height, width)
    np.testing.assert_allclose(
        likely, whole[:, 2 : 2 + height, 2 : 2 + width], atol=1e-5
    )


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_part_gives_what_the_whole_gives(data):
    prepared = prepare(lively_net(), CPU)
    source = source_of(noise(61, 47))
    y0, x0 = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 46))
    y1, x1 = data.draw(st.integers(y0 + 1, 61)), data.draw(st.integers(x0 + 1, 47))
    region = Region(y0, x0, y1, x1)
    whole = predict_proba(prepared, source, Region(0, 0, 61, 47))
    part = predict_proba(prepared, source, region)
    np.testing.assert_allclose(part, whole[:, y0:y1, x0:x1], atol=1e-4)


def test_preparing_leaves_the_net_alone():
    net = lively_net(boundary=True).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    prepare(net, Device("cpu", "bf16", channels_last=True))
    assert net.training and net.padding == "same" and net.boundary is not None
    for key, value in net.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)
