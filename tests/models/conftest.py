import pytest

from napari_unet.annotation import ClassScheme
from napari_unet.models import ModelSpec, UNetArchitecture, build


@pytest.fixture
def model():
    spec = ModelSpec(
        name="tiny",
        description="For tests.",
        classes=ClassScheme.named("nucleus"),
        architecture=UNetArchitecture(depth=1, width=4, max_width=8),
        pixel_size=0.65,
        provenance={"data": "none", "seed": "3"},
    )
    return build(spec, seed=3)
