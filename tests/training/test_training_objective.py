"""Of the loss of a batch, that of few labels alone has a level."""

import pytest
import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import ModelSpec, UNetArchitecture, adapt, build
from napari_unet.nets.device import Device
from napari_unet.training.crops import Crops
from napari_unet.training.objective import Objective

COUNTS = torch.tensor([64, 64])


def sure(model):
    """Let a model call all background and no boundary, a little in doubt of that."""
    with torch.no_grad():
        for head in (model.net.classify, model.net.boundary):
            head.weight.zero_()
        model.net.classify.bias.copy_(torch.tensor([8.0, 0.0]))
        model.net.boundary.bias.fill_(-4.0)
    return model


@pytest.fixture
def base():
    spec = ModelSpec(
        name="tiny",
        classes=ClassScheme.named("cell"),
        architecture=UNetArchitecture(depth=1, width=4),
    )
    return sure(build(spec))


@pytest.fixture
def background():
    """A crop whose upper half is known to be background, without an object."""
    known = torch.zeros(2, 16, 16, dtype=torch.bool)
    known[:, :8] = True
    return Crops(
        image=torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)),
        classes=torch.where(known, 0, -1),
        weight=torch.ones(2, 16, 16),
        boundary=torch.zeros_like(known),
        known=known,
        objects=torch.zeros(2, 16, 16, dtype=torch.int32),
    )


def test_boundaries_are_learnt_on_below_the_level_of_the_labels(base, background):
    net = base.net
    loss, errors = Objective(net, base.spec, Device("cpu"))(background, COUNTS)
    loss.backward()
    assert not errors.any()
    assert net.classify.bias.grad[0] > 0, "away from what it has by heart"
    assert net.boundary.bias.grad > 0, "towards no boundary, as before"


def test_a_net_returns_to_its_base_below_the_level_of_the_labels(base, background):
    model = adapt(base, classes=base.spec.classes, channels=1, name="mine")
    net = model.net
    objective = Objective(net, model.spec, Device("cpu"))
    with torch.no_grad():
        net.boundary.bias.fill_(-5.0)
    background.known[:] = False
    objective(background, COUNTS)[0].backward()
    assert net.classify.bias.grad[0] > 0, "away from what it has by heart"
    assert net.boundary.bias.grad < 0, "back to the base"
