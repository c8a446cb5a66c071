import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from napari_unet.models import ARCHITECTURES, FCNArchitecture, UNetArchitecture
from napari_unet.models.blueprint import blueprint, fitting_sides
from napari_unet.models.drawing import explain
from napari_unet.models.model import build_net

SOME = [
    *(a for name, a in ARCHITECTURES.items() if name != "maskrcnn"),
    UNetArchitecture(depth=2, width=3, norm="layer", boundary=False),
    UNetArchitecture(depth=1, width=3, norm="none", padding="valid"),
    FCNArchitecture(stride=8, width=4, hidden=8, norm="none", boundary=False),
]


@pytest.mark.parametrize("architecture", SOME, ids=str)
@pytest.mark.parametrize("size", [(572, 572), (500, 332)])
def test_the_arithmetic_is_what_the_net_does(architecture, size):
    with torch.device("meta"):
        net = build_net(architecture, 3, 4).eval()
        image = torch.empty(1, 3, *size)
    kinds = torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear
    layers = {n: layer for n, layer in net.named_modules() if isinstance(layer, kinds)}
    parameters = sum(p.numel() for p in net.parameters())
    seen = {}
    for name, layer in layers.items():
        layer.register_forward_hook(
            lambda layer, inputs, out, name=name: seen.update({name: out.shape[1:]})
        )
    if architecture.name == "patches":
        # Converting is not part of what an image costs.
        net.make_lean()
        seen.clear()
    plan = blueprint(architecture, *size, channels=3, n_classes=4)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        if plan.problem:
            with pytest.raises(ValueError, match="cannot go through"):
                net(image)
            return
        out = net(image)
    last = plan.steps[-1]
    assert (last.channels, last.height, last.width) == out.shape[1:]
    made = {
        s.layer: (s.channels, s.height, s.width) for s in plan.steps if s.parameters
    }
    # Fully connected layers are converted: there is nothing to listen to.
    assert {name: made[name] for name in seen} == {n: tuple(s) for n, s in seen.items()}
    assert made.keys() == layers.keys()
    assert plan.parameters == parameters
    assert plan.flop == counter.get_total_flops()


def test_the_net_of_the_paper():
    plan = blueprint(ARCHITECTURES["unet-2015"], 572, 572)
    assert plan.steps[-1].size == "388x388x2"
    assert plan.parameters == 31_030_658
    with torch.device("meta"):
        net = build_net(ARCHITECTURES["unet-2015"], 1, 2)
    # A pixel of the outcome sees `reach` pixels to one side, less to the other.
    assert plan.receptive_field == net.halo + net.reach + 1


@given(st.integers(1, 900))
@settings(max_examples=60, deadline=None)
def test_the_nearest_sizes_that_fit(side):
    valid = ARCHITECTURES["unet-2015"]
    smaller, larger = fitting_sides(valid, side)
    assert ((larger - 188) % 16 == 0 and larger - side < 16) or larger == 188
    assert smaller is None or (smaller <= side and larger - smaller in (0, 16))
    assert (smaller == larger == side) == (blueprint(valid, side, side).problem is None)
    assert fitting_sides(ARCHITECTURES["fcn-8s"], side) == (side, side)


def test_where_a_size_does_not_fit_is_said():
    plan = blueprint(ARCHITECTURES["unet-2015"], 571, 572)
    assert plan.problem == "567 x 568 pixels after 'down.0.3' cannot be halved evenly"
    assert plan.steps[-1].layer == "down.0.3"
    tiny = blueprint(ARCHITECTURES["unet-2015"], 60, 60)
    assert "nothing is left" in tiny.problem


def test_the_end_of_a_net_with_boundaries_is_explained_as_it_is():
    net = UNetArchitecture(depth=1, boundary=True)
    said = {step.layer: explain(step) for step in blueprint(net, 64, 64).steps}
    assert "side by side" in said["classes and boundary"]
    assert "boundary" in said["boundary"]
    assert "way down" in said["copy and crop"]
