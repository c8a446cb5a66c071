import pytest
import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import (
    FCNArchitecture,
    Model,
    ModelSpec,
    UNetArchitecture,
    adapt,
    build,
)


@pytest.fixture
def base():
    spec = ModelSpec(
        name="base",
        channels=3,
        classes=ClassScheme.named("nucleus"),
        architecture=UNetArchitecture(depth=1, width=4, max_width=8),
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


def test_what_is_known_of_objects_goes_with_their_class(base):
    known = {"diameter": 19.0, "valley": 0.2, "pixel_size": 0.5}
    spec = base.spec.model_copy(update=known)
    knows = Model(spec, base.net)
    more = ClassScheme.named("nucleus", "debris")
    kept = adapt(knows, classes=more, channels=3, name="x").spec
    assert (kept.diameter, kept.valley) == (19, 0.2)
    # The images are others.
    assert kept.pixel_size is None
    other = ClassScheme.named("axon")
    lost = adapt(knows, classes=other, channels=3, name="x").spec
    assert (lost.diameter, lost.valley) == (None, None)


def test_only_the_same_net_with_a_class_in_common_refines(base):
    same = base.spec.classes, base.spec.architecture
    other = ClassScheme.named("axon"), UNetArchitecture(depth=1, width=4, max_width=16)
    for classes in (same[0], other[0]):
        for architecture in (same[1], other[1]):
            new = adapt(
                base, classes=classes, channels=3, name="x", architecture=architecture
            )
            assert new.spec.refines == ((classes, architecture) == same)
            named = new.spec.provenance.values()
            assert list(named).count(base.spec.name) == 1


def test_what_is_told_of_the_base_is_told_as_the_base_s(base):
    told = {"data": "BBBC038", "licence": "CC0"}
    shipped = Model(base.spec.model_copy(update={"provenance": told}), base.net)
    mine = adapt(shipped, classes=base.spec.classes, channels=3, name="mine")
    assert mine.spec.provenance == {
        "base": "base",
        "base_classes": "background, nucleus",
        "base_data": "BBBC038",
        "base_licence": "CC0",
    }
    told = {**mine.spec.provenance, "data": "my own"}
    mine = Model(mine.spec.model_copy(update={"provenance": told}), mine.net)
    axons = adapt(mine, classes=ClassScheme.named("axon"), channels=3, name="axons")
    assert axons.spec.provenance == {
        "pretrained": "mine",
        "pretrained_data": "my own; BBBC038",
        "pretrained_licence": "CC0",
    }


ARCHITECTURES = [
    UNetArchitecture(depth=1, width=4, max_width=8, boundary=False),
    UNetArchitecture(depth=1, width=4, max_width=8),
    FCNArchitecture(width=2, max_width=4, hidden=4, stride=16),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_classes_that_stay_keep_their_logits_wherever_they_go(architecture):
    spec = ModelSpec(
        name="base",
        classes=ClassScheme.named("a", "b", "c"),
        architecture=architecture,
    )
    base = build(spec, seed=2)
    randomise(base.net)
    image = torch.rand(1, 1, 40, 33, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = base.net.eval()(image)
        for names in (["a", "b", "c", "new"], ["c"], ["c", "new", "a", "b"]):
            new = adapt(base, classes=ClassScheme.named(*names), channels=1, name="x")
            after = new.net.eval()(image)
            for name in ("background", *names):
                if name != "new":
                    i = new.spec.classes.names.index(name)
                    j = spec.classes.names.index(name)
                    torch.testing.assert_close(after[:, i], before[:, j])
            if architecture.boundary:
                torch.testing.assert_close(after[:, -1], before[:, -1])


def randomise(net):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * 0.3)


def test_a_finer_fcn_begins_as_the_coarser_one():
    spec = ModelSpec(
        name="base",
        classes=ClassScheme.named("a"),
        architecture=FCNArchitecture(width=2, max_width=4, hidden=4, stride=32),
    )
    model = build(spec, seed=3)
    for part in (model.net.down, model.net.head, model.net.score):
        randomise(part)
    image = torch.rand(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        coarse = model.net.eval()(image)
        for stride in (16, 8):
            finer = spec.architecture.model_copy(update={"stride": stride})
            model = adapt(
                model,
                classes=spec.classes,
                channels=1,
                name="finer",
                architecture=finer,
            )
            assert model.net.stride == stride
            fine = model.net.eval()(image)
            # Bilinear steps of 2 and of 32 differ a little, where they round a peak.
            differs = (fine - coarse).abs().mean(dim=(2, 3))
            assert (differs < 0.1 * coarse.std(dim=(2, 3))).all()
