import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from napari_unet.nets import FCN, is_fully_convolutional
from napari_unet.nets.fcn import Upsample, bilinear_kernel
from napari_unet.nets.lean import fold_batch_norms, join_relus


def tiny(stride, **options):
    torch.manual_seed(0)
    net = FCN(2, 3, stride=stride, width=2, max_width=4, hidden=4, **options)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.2)
    return net.eval()


@given(stride=st.sampled_from([2, 8, 16, 32]), y=st.integers(1, 7), x=st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_upsampling_begins_as_bilinear_interpolation(stride, y, x):
    maps = torch.randn(2, 3, y, x)
    expected = functional.interpolate(maps, scale_factor=stride, mode="bilinear")
    with torch.no_grad():
        torch.testing.assert_close(
            Upsample(3, stride)(maps), expected, atol=1e-5, rtol=0
        )


def test_a_bilinear_kernel_adds_up_to_one_at_each_place():
    kernel = bilinear_kernel(4)
    assert kernel.shape == (8, 8)
    tiled = kernel.reshape(2, 4, 2, 4).sum(dim=(0, 2))
    torch.testing.assert_close(tiled, torch.ones(4, 4))


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_what_comes_out_is_as_large_as_what_went_in(stride):
    net = tiny(stride, boundary=True)
    with torch.no_grad():
        for side in range(32, 258):
            other = 32 + (side * 7) % 226
            assert net(torch.zeros(1, 2, side, other)).shape == (1, 4, side, other)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_tile_with_its_margin_gives_what_the_image_gives(stride):
    net = tiny(stride)
    edge, side = net.margin, 2 * net.multiple
    picture = torch.rand(1, 2, side + 4 * edge, side + 4 * edge)
    with torch.inference_mode():
        expected = net(picture)[..., 2 * edge : -2 * edge, 2 * edge : -2 * edge]
        fold_batch_norms(net)
        join_relus(net)
        tile = picture[..., edge : side + 3 * edge, edge : side + 3 * edge]
        found = net(tile)[..., edge:-edge, edge:-edge]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert expected.std() > 0.01


def test_finer_nets_have_more_skips_and_are_fully_convolutional():
    counts = [len(tiny(stride).skip_scores) for stride in (32, 16, 8)]
    assert counts == [0, 1, 2]
    assert is_fully_convolutional(tiny(8))
