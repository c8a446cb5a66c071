"""Saving a model: a folder that is there whole or not at all."""

from __future__ import annotations

import glob
import hashlib
import json
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.errors import ModelError
from napari_unet.images.whole import rename, sync, sync_folder
from napari_unet.models.folder import DESCRIPTION, WEIGHTS, aside_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet.models.model import Model

UNFINISHED = ".unfinished"
# A model that was being written so many seconds ago is left over from a process that
# died: writing takes seconds.
LEFT_OVER = 3600.0


def save_model(model: Model, folder: Path | str, *, half: bool = False) -> None:
    """Write `model` into `folder`, whole or not at all.

    Everything is written into a new folder beside it, which then takes its place.

    Parameters
    ----------
    model : Model
        What to write.
    folder : Path
        Made; of a model that is there already the two files of it are replaced, and
        what else the folder holds stays.
    half : bool
        Store weights as bfloat16, half as large.

    Raises
    ------
    ModelError
        If the folder holds something else than a model, or cannot be written.
    """
    import torch
    from safetensors.torch import save

    folder = Path(folder).absolute()
    state = {
        key: (
            v.to(torch.bfloat16) if half and v.is_floating_point() else v
        ).contiguous()
        for key, v in model.net.state_dict().items()
    }
    weights = save(state)
    description = {
        **model.spec.model_dump(mode="json"),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    with _saving_errors(folder):
        _check_nothing_else(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_left_over(folder)
        new = _new_folder(folder.parent, f".{folder.name}-")
        try:
            _take_along(folder, new)
            (new / WEIGHTS).write_bytes(weights)
            text = json.dumps(description, indent=2) + "\n"
            (new / DESCRIPTION).write_text(text, encoding="utf-8")
            # A power cut must not leave the names of files that are empty.
            for name in (WEIGHTS, DESCRIPTION):
                sync(new / name)
            sync_folder(new)
            _take_place(new, folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def check_place(folder: Path | str) -> None:
    """Raise what `save_model` would, before a model is trained for a folder.

    Raises
    ------
    ModelError
        If the folder holds something else than a model, or nothing can be written
        there.
    """
    folder = Path(folder).absolute()
    with _saving_errors(folder):
        _check_nothing_else(folder)
        parents = (parent for parent in folder.parents if parent.exists())
        # On Windows the drive itself may be missing.
        _new_folder(next(parents, Path(folder.anchor)), ".").rmdir()


def _check_nothing_else(folder: Path) -> None:
    if folder.exists() and not (folder / DESCRIPTION).is_file():
        raise ModelError(
            f"'{folder}' exists and is not a model. Choose a new folder to save to."
        )


def _new_folder(parent: Path, beginning: str) -> Path:
    """Make a folder that others may look into as they may into new ones there.

    One of `tempfile` is the user's alone, on Windows also where it is moved to. Where
    access is denied it would try other names there, see `try_writing`.
    """
    new = parent / f"{beginning}{uuid.uuid4().hex[:8]}{UNFINISHED}"
    new.mkdir()
    return new


@contextmanager
def _saving_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise ModelError(
            f"The model could not be saved to '{folder}': {why}. Free some space or "
            "choose another folder."
        ) from error


def _clear_left_over(folder: Path) -> None:
    """Remove what processes that died in the middle of saving this model left."""
    beside = f".{glob.escape(folder.name)}-*{UNFINISHED}"
    for unfinished in folder.parent.glob(beside):
        with suppress(OSError):
            if time.time() - unfinished.stat().st_mtime > LEFT_OVER:
                shutil.rmtree(unfinished)


def _take_along(folder: Path, new: Path) -> None:
    """Copy what a user keeps beside the model that is replaced, such as notes."""
    if old := place_of(folder):
        replaced = {DESCRIPTION, WEIGHTS}
        shutil.copytree(
            old,
            new,
            ignore=lambda at, _: replaced if Path(at) == old else (),
            dirs_exist_ok=True,
        )


def _take_place(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`, setting an old one aside until it has worked.

    A process that dies between the two leaves the old one aside, where `find_model`
    finds it.
    """
    aside = aside_of(folder)
    if folder.exists():
        shutil.rmtree(aside, ignore_errors=True)
        rename(folder, aside)
        try:
            rename(new, folder)
        except OSError:
            rename(aside, folder)
            raise
    else:
        rename(new, folder)
    sync_folder(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)
