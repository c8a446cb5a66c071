"""What the viewer and the engine say to each other.

A request carries an id. The engine answers with any number of `Event`, then one
`Done` or `Failed` of that id. Events are what a job yields: the same dataclasses that
`inference.predict` and `training` yield in a script. Whole images are never part of
a message: they are in a `SharedArray`.

Nothing here loads torch, nor what is imported: the viewer uses it.
"""

from napari_unet.engine.messages.labels import AddImage, Patch, RemoveImage, WriteLabels
from napari_unet.engine.messages.prediction import (
    Describe,
    Described,
    FeatureMaps,
    Predict,
    WarmUp,
)
from napari_unet.engine.messages.preview import (
    MostUncertain,
    Preview,
    Previewed,
    UncertainRegion,
)
from napari_unet.engine.messages.protocol import (
    Cancel,
    Done,
    Event,
    Failed,
    Hello,
    Quit,
)
from napari_unet.engine.messages.request import Request
from napari_unet.engine.messages.training import (
    AtWork,
    PauseTraining,
    RollBack,
    RolledBackTo,
    StopTraining,
    Train,
)

__all__ = [
    "AddImage",
    "AtWork",
    "Cancel",
    "Describe",
    "Described",
    "Done",
    "Event",
    "Failed",
    "FeatureMaps",
    "Hello",
    "MostUncertain",
    "Patch",
    "PauseTraining",
    "Predict",
    "Preview",
    "Previewed",
    "Quit",
    "RemoveImage",
    "Request",
    "RollBack",
    "RolledBackTo",
    "StopTraining",
    "Train",
    "UncertainRegion",
    "WarmUp",
    "WriteLabels",
]
