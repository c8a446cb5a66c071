"""The checkpoints that a command keeps beside the model it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_unet.errors import TrainingError
from napari_unet.models import save_model
from napari_unet.training import Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_unet.models import Architecture, Model
    from napari_unet.training import Learner


def checkpoints_beside(
    out: Path, tell: Callable[[str], None], *, resume: bool
) -> Checkpoints:
    """Return the checkpoints beside a model; refuse to go on unless that is asked.

    A model without checkpoints is refused as well: a training cannot go on with it, and
    would only write over it.
    """
    checkpoints = Checkpoints(out.with_name(f"{out.name}-checkpoints"))
    if len(checkpoints) and not resume:
        raise TrainingError(
            f"'{checkpoints.folder}' holds checkpoints of an earlier training. Add "
            "--resume to go on from them, or choose another --out."
        )
    if out.exists() and not len(checkpoints):
        raise TrainingError(
            f"'{out}' is a model already, without checkpoints to go on from. Choose "
            "another --out; to begin with this model, give it as --base."
        )
    if resume and not len(checkpoints):
        tell(
            f"There are no checkpoints in '{checkpoints.folder}' to go on from: a new "
            "training begins."
        )
    return checkpoints


def going_on(
    checkpoints: Checkpoints,
    last: str,
    classes: tuple[str, ...] | None,
    net: Architecture | None,
) -> Model:
    """Return the checkpoint `last`; refuse if other classes or nets are asked for."""
    model = checkpoints.load(last)
    known = model.spec.classes.names[1:]
    if classes not in (None, known):
        raise TrainingError(
            f"The checkpoints in '{checkpoints.folder}' know the classes "
            f"{', '.join(known)}, and not {', '.join(classes)}. Go on with the same "
            "ones, or choose another --out."
        )
    if net not in (None, model.spec.architecture):
        raise TrainingError(
            f"The checkpoints in '{checkpoints.folder}' are of another net "
            f"({model.spec.architecture}) than the recipe ({net}). Go on with the same "
            "one, or choose another --out."
        )
    return model


def save_best(checkpoints: Checkpoints, learner: Learner, out: Path) -> None:
    """Write the checkpoint with the best score, or else the last weights."""
    best = checkpoints.best or checkpoints.last
    save_model(checkpoints.load(best) if best else learner.model(), out)
