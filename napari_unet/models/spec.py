"""What a model is, apart from its weights: the contents of ``model.json``."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from napari_unet.annotation import ClassScheme
from napari_unet.models.architecture import Architecture, Frozen, UNetArchitecture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_unet.images import Image, IntensityRange

SCHEMA_VERSION = 2
MOST_CHANNELS = 64
# What a model's provenance says of the one that it began as.
BEGAN_WITH = ("base", "base_classes", "pretrained")


class Normalisation(Frozen):
    """Which percentiles of each channel of the whole image become 0 and 1."""

    low: float = Field(1.0, ge=0, lt=100)
    high: float = Field(99.8, gt=0, le=100)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) is not below high ({self.high:g})")
        return self

    def measure(
        self,
        image: "Image",
        channels: "Sequence[int]",
        check: "Callable[[], None]" = lambda: None,
    ) -> "IntensityRange":
        """Return what becomes 0 and 1; see `napari_unet.images.measure_intensity`."""
        from napari_unet.images import measure_intensity

        return measure_intensity(image, channels, self.low, self.high, check)


class ModelSpec(Frozen):
    """A frozen description of a model.

    Attributes
    ----------
    name, description : str
        What it is called, and one line on what it is good for.
    channels : int
        Channels of the image that it takes; an image of one channel is repeated.
    classes : ClassScheme
        Background first; one logit each.
    pixel_size : float or None
        Micrometres a pixel of the images that it was trained on, where all say the
        same.
    diameter : float or None
        Of the objects that it was trained on, in pixels: the median of those of
        circles of the same area. None where there were none.
    valley : float or None
        How deep the valley between two objects must be, 0 to 1; see
        `instances.label_hills`. None while the net has not learnt boundaries.
    provenance : mapping
        Data, licence, recipe, seed and scores, as text; `base` is the model that this
        one refines and `base_classes` its classes, `pretrained` one of other classes or
        another net that it began with. What begins with `base_` or `pretrained_` is
        told of that one, such as `base_data`.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    description: str = ""
    architecture: Architecture = UNetArchitecture()
    channels: int = Field(1, ge=1, le=MOST_CHANNELS)
    classes: ClassScheme
    normalisation: Normalisation = Normalisation()
    pixel_size: float | None = None
    diameter: float | None = Field(None, gt=0)
    valley: float | None = Field(None, gt=0, lt=1)
    provenance: dict[str, str] = {}

    @property
    def refines(self) -> bool:
        """Whether it began as another model of the same net that knew some classes."""
        return "base" in self.provenance

    @property
    def base_classes(self) -> list[int]:
        """Those of the classes that the model it refines knows, too."""
        if not self.refines:
            return []
        # The first versions did not write down which: it knows all of them by now.
        before = self.provenance.get("base_classes", ", ".join(self.classes.names))
        # A name may hold a comma, too.
        known = f", {before}, "
        return [i for i, n in enumerate(self.classes.names) if f", {n}, " in known]

    def going_on(self, before: Self) -> Self:
        """Return it as what `before` is, in the same training with other classes.

        A class that was new in that training is still to be learnt: what the net says
        of it is nothing to hold on to.
        """
        known = {before.classes.names[i] for i in before.base_classes}
        provenance = dict(before.provenance)
        if before.refines:
            names = (name for name in self.classes.names if name in known)
            provenance["base_classes"] = ", ".join(names)
        told = {"description": before.description, "provenance": provenance}
        return self.model_copy(update=told)

    def renamed(self, classes: ClassScheme) -> Self:
        """Return it with the same classes under other names or in other colours."""
        known = [classes.names[i] for i in self.base_classes]
        provenance = dict(self.provenance)
        if self.refines:
            provenance["base_classes"] = ", ".join(known)
        return self.model_copy(update={"classes": classes, "provenance": provenance})
