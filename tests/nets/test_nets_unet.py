import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.models import ARCHITECTURES
from napari_unet.models.model import build_net
from napari_unet.nets import UNet
from napari_unet.nets.layers import halve
from napari_unet.nets.lean import fold_batch_norms, join_relus


def trained(norm, **options):
    torch.manual_seed(0)
    net = UNet(2, 3, depth=2, width=4, norm=norm, **options)
    for _ in range(20):
        net(torch.rand(2, 2, 64, 64))
    return net.eval()


# Figure 1 of the paper: channels and side after each convolution and up-convolution.
FIGURE_1 = [
    *[(64, 570), (64, 568), (128, 282), (128, 280), (256, 138), (256, 136)],
    *[(512, 66), (512, 64), (1024, 30), (1024, 28)],
    *[(512, 56), (512, 54), (512, 52), (256, 104), (256, 102), (256, 100)],
    *[(128, 200), (128, 198), (128, 196), (64, 392), (64, 390), (64, 388), (2, 388)],
]


def test_the_net_of_the_paper_layer_by_layer():
    with torch.device("meta"):
        net = build_net(ARCHITECTURES["unet-2015"], 1, 2)
        picture = torch.empty(1, 1, 572, 572)
    seen, kernels = [], []

    def look(layer, inputs, output):
        seen.append((output.shape[1], output.shape[2]))
        kernels.append(layer.kernel_size)
        assert layer.padding == (0, 0)

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_hook(look)
    assert net(picture).shape == (1, 2, 388, 388)
    assert seen == FIGURE_1
    assert len(seen) == 23
    assert (kernels.count((3, 3)), kernels.count((2, 2)), kernels[-1]) == (
        18,
        4,
        (1, 1),
    )
    assert net.halo == (572 - 388) // 2
    assert sum(p.numel() for p in net.parameters()) == 31_030_658
    with pytest.raises(ValueError, match="570 x 572"):
        net(torch.empty(1, 1, 570, 572, device="meta"))


def test_dropout_is_at_the_end_of_the_contracting_path():
    torch.manual_seed(0)
    net = UNet(1, 2, depth=1, width=16, dropout=0.5)
    deepest = []
    net.dropout.register_forward_hook(lambda *_: deepest.append(_[2]))
    net.train()(torch.rand(1, 1, 16, 16))
    net.eval()(torch.rand(1, 1, 16, 16))
    assert deepest[0].shape == (1, 32, 8, 8)
    left_out = (deepest[0] == 0).all(dim=(2, 3)).sum()
    assert left_out > (deepest[1] == 0).all(dim=(2, 3)).sum()


@given(height=st.integers(1, 50), width=st.integers(1, 50), depth=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_padded_nets_take_any_size(height, width, depth):
    net = UNet(1, 2, depth=depth, width=2, boundary=True).eval()
    assert net(torch.rand(1, 1, height, width)).shape == (1, 3, height, width)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_how_far_a_pixel_can_see(depth):
    torch.manual_seed(0)
    net = UNet(1, 2, depth=depth, width=8, norm="none").eval().double()
    seen = [farthest_change(net, 16 * net.multiple + at) for at in range(net.multiple)]
    assert max(seen) == net.reach
    # What begins with a square sees less far.
    assert net.halo <= seen[0] <= net.margin < net.reach + 2


def farthest_change(net, row):
    """Change a picture from a row on; return how far above it the outcome changes."""
    picture = torch.rand(1, 1, 2 * (row - row % 2), 24).double()
    changed = picture.clone()
    changed[..., row:, :] += 1
    with torch.no_grad():
        differs = (net(picture) != net(changed)).any(dim=3)
    return row - int(differs.any(dim=(0, 1)).nonzero()[0])


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_a_lean_net_gives_the_same(norm):
    net = trained(norm)
    edge = -(-net.margin // net.multiple) * net.multiple
    side = 8 * net.multiple
    picture = torch.rand(1, 2, side + 2 * edge, side + 2 * edge)
    inside = slice(edge, edge + side)
    tile = slice(edge - net.margin, edge + side + net.margin)
    with torch.inference_mode():
        expected = net(picture)[..., inside, inside]
        fold_batch_norms(net)
        net.make_lean()
        join_relus(net)
        found = net(picture[..., tile, tile])
    assert found.shape[-1] == side + 2 * (net.margin - net.halo)
    torch.testing.assert_close(found[..., 2:-2, 2:-2], expected, atol=1e-5, rtol=1e-4)
    assert expected.std() > 0.01


def test_folding_leaves_no_batch_norm():
    folded = trained("batch")
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    fold_batch_norms(folded)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(8, 6), (7, 9), (2, 2), (3, 2)])
def test_halving_takes_the_largest(dtype, shape):
    torch.manual_seed(0)
    x = torch.relu(torch.randn(2, 3, *shape)).to(dtype)
    expected = torch.nn.functional.max_pool2d(x, 2)
    assert torch.equal(halve(x), expected)
    with torch.inference_mode():
        assert torch.equal(halve(x), expected)
        last = x.contiguous(memory_format=torch.channels_last)
        assert torch.equal(halve(last), expected)
