"""What is said about live training; see `messages` for how.

This module loads no torch either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from napari_unet.engine.request import Request
from napari_unet.inference.config import PredictConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_unet.annotation import ClassScheme
    from napari_unet.engine.arrays import SharedArray
    from napari_unet.images import IntensityRange, Region
    from napari_unet.training import TrainConfig

DEFAULT = PredictConfig()


# Images and labels


@dataclass(frozen=True)
class AddImage(Request):
    """Bring an image in for training and previews, before or during a training.

    It stays until `RemoveImage`. An image of the same key is replaced, and where the
    shape is the same its labels stay.

    Attributes
    ----------
    key : str
        Names the image in other requests.
    name : str
        What the user calls it.
    pixels : SharedArray
        All planes. The file may be removed once the answer has come.
    axes : str
        The axes of `pixels`, e.g. ``"CZYX"``, as in `images.Image`.
    rgb : bool
        Whether the channels are red, green, blue (and alpha).
    channels : tuple of int
        Which channels the net sees. A single one is repeated for a model of more.
    intensity : IntensityRange
        Of these channels.
    """

    key: str
    name: str
    pixels: SharedArray
    axes: str
    rgb: bool
    channels: tuple[int, ...]
    intensity: IntensityRange
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class RemoveImage(Request):
    """Forget an image and its labels; an unknown one is fine."""

    key: str
    urgent: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Patch:
    """What the labels of a region are now; None for what has not changed.

    Attributes
    ----------
    region : Region
        Inside the image; a block of 256 x 256 pixels or less.
    scribbles : ndarray or None
        ``(Y, X)``, uint8: 0 not labelled, class + 1 elsewhere.
    objects : ndarray or None
        ``(Y, X)``, uint32.
    verified : ndarray or None
        ``(Y, X)``, bool.
    split : ndarray or None
        ``(Y, X)``, uint8: which labels are held out, see `Annotation.split`.
    """

    region: Region
    scribbles: NDArray[np.uint8] | None = None
    objects: NDArray[np.uint32] | None = None
    verified: NDArray[np.bool_] | None = None
    split: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class WriteLabels(Request):
    """Bring the engine's copy of an image's labels up to date.

    It is written between two steps, and the next crops are drawn from it.

    Attributes
    ----------
    key : str
        Of the image.
    patches : tuple of Patch
    object_classes : mapping of int to int
        The classes of all objects that are not of class 1, as in
        `Annotation.object_classes`.
    """

    key: str
    patches: tuple[Patch, ...]
    object_classes: Mapping[int, int] = field(default_factory=dict)
    urgent: ClassVar[bool] = True


# Training


@dataclass(frozen=True)
class Train(Request):
    """Train until told to stop; answered by `training.events`, last `Stopped`.

    It learns from all images that have labels. While nothing can be learnt, because
    labels or images were taken away, it tells so with `Warned` and waits. When it is
    cancelled the last weights are kept too.

    Attributes
    ----------
    name : str
        Of the new model.
    base : str
        The model to begin with: a name, a folder, or what `models.new_net` takes, for
        random weights.
    classes : ClassScheme
        Of the new model. Labels of a class that was added later are left alone.
    channels : int
        Of the new model.
    folder : str
        Checkpoints are kept here.
    config : TrainConfig
    resume : bool
        Go on from the last checkpoint in `folder`, if there is one, instead of
        `base`. Without it the folder must have none.
    """

    name: str
    base: str
    classes: ClassScheme
    channels: int
    folder: str
    config: TrainConfig
    resume: bool = False


@dataclass(frozen=True)
class StopTraining(Request):
    """End the training after its step; without one it does nothing."""


@dataclass(frozen=True)
class PauseTraining(Request):
    """Pause the training after its step, or go on with it.

    Previews, labels and predictions are served meanwhile.
    """

    paused: bool


@dataclass(frozen=True)
class RollBack(Request):
    """Go on from the weights of a checkpoint; answered by `RolledBackTo`.

    Where that training is not under way the weights are kept as its last checkpoint,
    told by `Checkpointed`, so that resuming goes on from there.

    Attributes
    ----------
    checkpoint : str
        Its folder.
    """

    checkpoint: str


# Looking


@dataclass(frozen=True)
class Preview(Request):
    """Predict what is on screen; answered by `Previewed`.

    A view of more than about 512 x 512 is told about in several `TileDone` before.

    Attributes
    ----------
    key : str
        Of the image.
    region : Region
        What to predict, inside the image.
    semantic : SharedArray
        uint8, of the region's shape, or of the image's stack and Y, X, where the
        region is written in place.
    instances : SharedArray or None
        uint32, the same shape. Ids are 1 to n inside the region, which are not
        those of other regions, and objects end where the region does.
    checkpoint : str or None
        The folder of one that a training has kept.
    model : str or None
        A base model's name or a folder, if `checkpoint` is None. Where both are, it
        is the averaged weights of the training, under way or ended.
    uncertainty : bool
        Whether to measure it.
    config : PredictConfig
        How objects are found, and the device for a `checkpoint` or a `model`.
    """

    key: str
    region: Region
    semantic: SharedArray
    instances: SharedArray | None = None
    checkpoint: str | None = None
    model: str | None = None
    uncertainty: bool = False
    config: PredictConfig = DEFAULT
    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class MostUncertain(Request):
    """Look for where painting helps most; answered by `UncertainRegion`.

    Tiles of about 256 x 256 are predicted, each told by `TileDone`: all of them, or
    64 by chance. What lies near a label counts as certain.

    Attributes
    ----------
    keys : tuple of str
        The images to look at.
    checkpoint, model, config
        As in `Preview`.
    """

    keys: tuple[str, ...]
    checkpoint: str | None = None
    model: str | None = None
    config: PredictConfig = DEFAULT


# Events


@dataclass(frozen=True)
class Previewed:
    """A region of an image is predicted.

    Attributes
    ----------
    region : Region
    step : int
        Steps of training behind the weights; 0 for a `model`.
    objects : int
        How many the region has.
    mean_uncertainty : float or None
        0 to 1, where it was asked for; see `inference.uncertainty`.
    """

    region: Region
    step: int
    objects: int
    mean_uncertainty: float | None


@dataclass(frozen=True)
class UncertainRegion:
    """Where painting helps most.

    Attributes
    ----------
    key : str
        Of the image.
    region : Region
    uncertainty : float
        The mean over the region, 0 to 1; 0 near labels.
    """

    key: str
    region: Region
    uncertainty: float


@dataclass(frozen=True)
class RolledBackTo:
    """Training has the weights of the checkpoint `name` again."""

    name: str
