"""The model folders that were used lately."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from platformdirs import user_state_path

from napari_unet.errors import UnetError
from napari_unet.images.whole import replacing

_KEPT = 8


def recent_models() -> list[Path]:
    """Return the folders of models used lately that are still there, newest first.

    Of a training it is the best checkpoint, also where napari ended in the middle.
    """
    found = map(_model_of, _remembered())
    return list(dict.fromkeys(model for model in found if model is not None))


def remember_model(folder: Path) -> None:
    """Put the folder of a model, or of a training, first among the recent ones."""
    # A training makes room for its best checkpoint.
    others = [f for f in _remembered() if f not in (folder, folder.parent)]
    folders = [folder, *(f for f in others if _model_of(f) is not None)][:_KEPT]
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as new:
            new.write_text(json.dumps([str(f) for f in folders]), encoding="utf-8")
    except OSError:
        # Losing this list costs the user one click on Browse.
        logging.getLogger(__name__).warning("cannot write %s", file, exc_info=True)


def title_of(folder: Path) -> str:
    """Return what to call a model; the name of a checkpoint's folder says little."""
    from napari_unet.models import read_spec

    if not folder.name.startswith("step-"):
        return folder.name
    try:
        return f"{read_spec(folder).name} ({folder.name})"
    except UnetError:
        return folder.name


def _remembered() -> list[Path]:
    """Return what folders were used lately, newest first; some may be gone."""
    try:
        names = json.loads(_file().read_text(encoding="utf-8"))
        return [Path(name) for name in names if isinstance(name, str)]
    except (OSError, ValueError, TypeError):
        return []


def _model_of(folder: Path) -> Path | None:
    """Return the model that a folder is, or the best one of a training in it."""
    from napari_unet.models.folder import place_of
    from napari_unet.training import Checkpoints

    try:
        # A drive that is not there is asked once.
        if not folder.parent.is_dir():
            return None
        if place_of(folder) is not None:
            return folder
    except (OSError, UnetError):
        return None
    kept = Checkpoints(folder)
    name = kept.best or kept.last
    return None if name is None else folder / name


def _file() -> Path:
    return user_state_path("napari-unet", appauthor=False) / "recent_models.json"
