"""A model that refines another says what that one says where nobody labelled."""

import numpy as np
import pytest
import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import ModelSpec, UNetArchitecture, adapt, build
from napari_unet.nets.device import Device
from napari_unet.training.anchor import MANY, Anchor

BOUNDARY = 3


@pytest.fixture
def model():
    """A model of nuclei, to which a second class has been added."""
    spec = ModelSpec(
        name="base",
        classes=ClassScheme.named("nucleus"),
        architecture=UNetArchitecture(depth=1, width=4),
    )
    classes = ClassScheme.named("nucleus", "dividing")
    return adapt(build(spec), classes=classes, channels=1, name="mine")


@pytest.fixture
def image():
    return torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def out(model, image):
    """What the model itself says, to be changed and followed."""
    with torch.no_grad():
        said = model.net.eval()(image)
    return said.clone().requires_grad_()


@pytest.fixture
def anchor(model):
    return Anchor(model.net, model.spec.base_classes, Device("cpu"))


@pytest.fixture
def loss(anchor, image):
    """How far from the base some logits are; half of each image is labelled."""
    classes = torch.full((2, 16, 16), -1)
    classes[:, :8] = 1
    known = classes != -1
    return lambda out, labelled=0: anchor.loss(image, out, classes, known, labelled)


def test_the_base_knows_the_classes_of_the_same_name(model):
    assert model.spec.base_classes == [0, 1]
    again = adapt(
        model, classes=ClassScheme.named("x", "dividing"), channels=1, name=""
    )
    assert again.spec.base_classes == [0, 2]
    assert (
        build(model.spec.model_copy(update={"provenance": {}})).spec.base_classes == []
    )
    # The first versions said no more of the base than its name.
    told = {"provenance": {"base": "nuclei"}}
    assert model.spec.model_copy(update=told).base_classes == [0, 1, 2]


def test_nothing_is_lost_by_saying_the_same(loss, out):
    assert loss(out).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("change", [0, 1, BOUNDARY])
def test_saying_something_else_costs_where_nobody_labelled_alone(loss, out, change):
    with torch.no_grad():
        out[:, change] += 3
    value = loss(out)
    assert value.item() > 0.1
    value.backward()
    assert out.grad[:, :, 8:].abs().sum() > 0
    assert torch.equal(out.grad[:, :, :8], torch.zeros_like(out.grad[:, :, :8]))


def test_a_class_that_the_base_does_not_know_may_spread(loss, out):
    with torch.no_grad():
        out[:, 2] += 10
    assert loss(out).item() == pytest.approx(0, abs=1e-6)


def test_it_counts_less_the_more_is_labelled(loss, out):
    with torch.no_grad():
        out[:, 1] += 3
    assert loss(out, MANY).item() == pytest.approx(loss(out).item() / 2)


def test_it_counts_less_the_more_of_what_is_labelled_stays_wrong(anchor, loss, out):
    with torch.no_grad():
        out[:, 1] += 3
    trusted = loss(out).item()
    for wrong in (0.2, 0.5, 1.0):
        for _ in range(200):
            anchor.heed(np.full(4, wrong, np.float32))
        assert loss(out).item() == pytest.approx(trusted * (1 - wrong) ** 3, abs=1e-3)
    for _ in range(200):
        anchor.heed(np.zeros(4, np.float32))
    assert loss(out).item() == pytest.approx(trusted, rel=1e-3)
