import pytest
import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import Architecture, ModelSpec, adapt, build


@pytest.fixture
def base():
    spec = ModelSpec(
        name="base",
        channels=3,
        classes=ClassScheme.named("nucleus"),
        architecture=Architecture(depth=1, width=4, max_width=8),
    )
    return build(spec, seed=1)


def test_same_classes_and_channels_keep_every_weight(base):
    new = adapt(base, classes=base.spec.classes, channels=3, name="mine")
    for key, value in base.net.state_dict().items():
        assert torch.equal(new.net.state_dict()[key], value)
    assert new.spec.name == "mine"
    assert new.spec.provenance["base"] == "base"


def test_other_classes_replace_the_last_layer_alone(base):
    classes = ClassScheme.named("axon", "nucleus")
    new = adapt(base, classes=classes, channels=3, name="mine")
    state, old = new.net.state_dict(), base.net.state_dict()
    assert state["classify.weight"].shape[0] == 3
    assert torch.equal(state["classify.weight"][2], old["classify.weight"][1])
    assert torch.equal(state["classify.weight"][0], old["classify.weight"][0])
    for key in old:
        if not key.startswith("classify"):
            assert torch.equal(state[key], old[key])


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_answer_as_before_to_a_repeated_image(base, channels):
    new = adapt(base, classes=base.spec.classes, channels=channels, name="mine")
    grey = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    before = base.net.eval()(grey.repeat(1, 3, 1, 1))
    after = new.net.eval()(grey.repeat(1, channels, 1, 1))
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-4)


def test_the_base_is_not_changed(base):
    before = {k: v.clone() for k, v in base.net.state_dict().items()}
    new = adapt(base, classes=base.spec.classes, channels=1, name="mine")
    with torch.no_grad():
        for p in new.net.parameters():
            p.add_(1)
    for key, value in base.net.state_dict().items():
        assert torch.equal(value, before[key])
