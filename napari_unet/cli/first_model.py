"""The model that a training without a recipe begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.annotation import ClassScheme
from napari_unet.errors import TrainingError
from napari_unet.models import ModelSpec, adapt, build, load_model, new_net
from napari_unet.models.spec import MOST_CHANNELS

if TYPE_CHECKING:
    from napari_unet.images import Image
    from napari_unet.models import Model


def first_model(
    base: str,
    classes: tuple[str, ...] | None,
    name: str,
    first: Image,
    chosen: tuple[int, ...],
    seed: int,
) -> Model:
    """Return the model to begin with, for images like the first one.

    Parameters
    ----------
    base : str
        A model's name or folder, or what `new_net` takes, for random weights.
    classes : tuple of str or None
        The classes' names; None takes those of the base.
    name : str
        Of the new model.
    first : Image
        Decides how many channels the model has.
    chosen : tuple of int
        The channels of the images to use; none takes all.
    seed : int
        Of the weights.
    """
    # Three of a colour picture: its opacity is never used.
    channels = len(chosen) or (3 if first.rgb else first.n_channels)
    if channels > MOST_CHANNELS:
        raise TrainingError(
            f"'{first.name}' has {channels} channels; a net takes {MOST_CHANNELS} at "
            "most. Choose fewer with --channel."
        )
    if net := new_net(base):
        scheme = ClassScheme.named(*(classes or ("object",)))
        spec = ModelSpec(name=name, classes=scheme, channels=channels, architecture=net)
        return build(spec, seed=seed)
    model = load_model(base)
    scheme = ClassScheme.named(*classes) if classes else model.spec.classes
    if channels == 1:
        # It is repeated for a model of more.
        channels = model.spec.channels
    return adapt(model, classes=scheme, channels=channels, name=name, seed=seed)
