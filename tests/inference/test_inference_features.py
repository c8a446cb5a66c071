import numpy as np
import pytest
import torch

from napari_unet.annotation import ClassScheme
from napari_unet.inference.features import feature_maps
from napari_unet.models import FCNArchitecture, ModelSpec, UNetArchitecture, build
from napari_unet.models.blueprint import blueprint

NETS = [
    UNetArchitecture(depth=2, width=4),
    UNetArchitecture(depth=2, width=4, padding="valid", norm="none", boundary=False),
    FCNArchitecture(width=2, max_width=4, hidden=4),
]


@pytest.mark.parametrize("architecture", NETS, ids=str)
@pytest.mark.parametrize("size", [(60, 60), (44, 68)])
def test_every_step_gives_maps_of_its_size(architecture, size):
    spec = ModelSpec(
        name="x", channels=2, classes=ClassScheme.named("a"), architecture=architecture
    )
    model = build(spec)
    plan = blueprint(architecture, *size, channels=2, n_classes=2)
    assert plan.problem is None
    pixels = np.random.default_rng(0).random((2, *size), np.float32)
    found = [feature_maps(model, pixels, plan, i) for i in range(len(plan.steps))]
    for maps, step in zip(found, plan.steps, strict=True):
        assert maps.shape == (step.channels, step.height, step.width), step
        if step.kind == "conv":
            assert maps.min() >= 0
    np.testing.assert_array_equal(found[0], pixels)
    with torch.no_grad():
        out = model.net(torch.from_numpy(pixels)[None])[0].numpy()
    np.testing.assert_array_equal(found[-1], out)
    # Nothing listens on.
    assert not any(m._forward_hooks for m in model.net.modules())


def test_pooling_takes_the_largest_of_what_was_convolved():
    spec = ModelSpec(name="x", classes=ClassScheme.named("a"), architecture=NETS[0])
    model = build(spec)
    plan = blueprint(NETS[0], 32, 32)
    pixels = np.random.default_rng(0).random((1, 32, 32), np.float32)
    pool = next(i for i, s in enumerate(plan.steps) if s.kind == "pool")
    before = feature_maps(model, pixels, plan, pool - 1)
    largest = before.reshape(4, 16, 2, 16, 2).max(axis=(2, 4))
    np.testing.assert_array_equal(feature_maps(model, pixels, plan, pool), largest)
