"""What a training may begin with, as the panel offers it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.errors import UnetError
from napari_unet.models.architecture import TITLES, missing_extra

if TYPE_CHECKING:
    from napari_unet.gui.predict.model_panel import ModelPanel
    from napari_unet.gui.train.live import LiveTraining
    from napari_unet.gui.train.plan import Plan

# The value that stands for going on with the last training.
GO_ON = "last"


def bases(live: LiveTraining, models: ModelPanel) -> list[tuple[str, str]]:
    """Return texts, and what the next training would begin with, the usual one first.

    While one is under way it is what that began with, if it is still there.

    Parameters
    ----------
    live : LiveTraining
        The training under way, or the last one.
    models : ModelPanel
        In which a model is chosen.
    """
    last = live.outcome.plan
    offered: list[tuple[str, str]] = []
    # A model whose folder is gone is no base.
    with suppress(UnetError):
        if live.running and last is not None:
            return [_offer(last.base)]
        offered.append(_offer(models.model))
    if live.running:
        return []
    if live.outcome.checkpoints:
        # Who has chosen another model than that of the last training begins with it.
        usual = not offered or _belongs(offered[0][1], last)
        go_on = ("Go on with the last training", GO_ON)
        offered.insert(0 if usual else 1, go_on)
    return offered + [_offer(name) for name in TITLES]


def _belongs(model: str, last: Plan | None) -> bool:
    """Say whether a model is what the last training began with, or has made."""
    if last is None:
        return False
    folder = Path(model)
    return model == last.base or last.folder in (folder, folder.parent)


def _offer(base: str) -> tuple[str, str]:
    """Return how to call a base, and how to install what it needs."""
    from napari_unet.models import read_spec

    if base not in TITLES:
        return f"The chosen model: {read_spec(base).name}", base
    missing = missing_extra(base)
    needs = f" (needs: {missing})" if missing else ""
    return f"From scratch: {TITLES[base]}{needs}", base
