"""What is said about a training; its events are those of `training.events`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_unet.engine.messages.request import Request

if TYPE_CHECKING:
    from napari_unet.annotation import ClassScheme
    from napari_unet.training import TrainConfig


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
    """End a training after its step, or before its first one.

    Attributes
    ----------
    training : int
        The id of its `Train`. Of one that is over nothing is left to end; of one that
        has not begun nothing will be done, and nothing kept.
    """

    training: int


@dataclass(frozen=True)
class PauseTraining(Request):
    """Pause a training after its step, or go on with it.

    Previews, labels and predictions are served meanwhile.

    Attributes
    ----------
    training : int
        The id of its `Train`; one that is not under way stays as it is.
    paused : bool
    """

    training: int
    paused: bool


@dataclass(frozen=True)
class AtWork(Request):
    """Leave the viewer a core for some seconds: the user is about to change something.

    Labels that are written and another view say so by themselves.
    """


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


@dataclass(frozen=True)
class RolledBackTo:
    """Training has the weights of the checkpoint `name` again."""

    name: str
