"""Opening a model: a folder with ``model.json`` and ``weights.safetensors``.

Loading never unpickles: safetensors holds arrays and nothing that could run.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_unet.errors import ModelError, UnetError
from napari_unet.images.paths import expanded
from napari_unet.models.model import Model, build
from napari_unet.models.spec import SCHEMA_VERSION, ModelSpec
from napari_unet.resources import resource

if TYPE_CHECKING:
    from pathlib import Path

DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
# Nets of format 1 have a head that nothing was made of, and none for boundaries.
DROPPED = {"distance.weight", "distance.bias"}
ADDED = {"boundary.weight", "boundary.bias"}
# What pydantic calls an entry, a net and a choice that this version does not have.
NOT_KNOWN = {"extra_forbidden", "union_tag_invalid", "literal_error"}


def load_model(name_or_folder: Path | str) -> Model:
    """Open a base model by its name or any model by its folder.

    Parameters
    ----------
    name_or_folder : str or Path
        ``"nuclei"`` or another of `base_models`, or a folder.

    Raises
    ------
    ModelError
        If there is none, it is damaged, or a newer version wrote it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = find_model(name_or_folder)
    try:
        spec, weights = _read(folder)
    except ModelError:
        # Another program may just have been saving it.
        folder = find_model(name_or_folder)
        spec, weights = _read(folder)
    model = build(spec)
    try:
        state = load(weights)
        for key in DROPPED & state.keys():
            del state[key]
        fresh = model.net.state_dict()
        for key in ADDED & fresh.keys() - state.keys():
            state[key] = fresh[key]
        model.net.load_state_dict(state)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"The weights of the model '{folder}' do not fit its description. Copy "
            "the whole folder again from where it came."
        ) from error
    return model


def _read(folder: Path) -> tuple[ModelSpec, bytes]:
    """Return a model's description and the bytes of its weights, which fit it."""
    spec, digest = _read_description(folder)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model '{folder}' has no readable '{WEIGHTS}' ({error.strerror}). "
            "Copy the whole folder again from where it came."
        ) from error
    if hashlib.sha256(weights).hexdigest() != digest:
        raise ModelError(
            f"The weights of the model '{folder}' are damaged or were exchanged: "
            "their checksum is not the one in model.json. Copy the whole folder again "
            "from where it came."
        )
    return spec, weights


def read_spec(name_or_folder: Path | str) -> ModelSpec:
    """Return a model's description without its weights; needs no torch."""
    return _read_description(find_model(name_or_folder))[0]


def find_model(name_or_folder: Path | str) -> Path:
    """Return the folder of a base model's name or of a path to a model."""
    if place := place_of(expanded(name_or_folder)):
        return place
    names = base_models()
    if str(name_or_folder) in names:
        return resource(f"models/{name_or_folder}")
    raise ModelError(
        f"There is no model '{name_or_folder}'. Give the folder of a model (it holds a "
        f"file {DESCRIPTION}), or one of these names: {', '.join(names)}."
    )


def base_models() -> list[str]:
    """Return the names of the models that ship, that for most images first."""
    try:
        folder = resource("models")
    except UnetError:
        return []
    names = sorted(p.parent.name for p in folder.glob(f"*/{DESCRIPTION}"))
    return sorted(names, key=lambda name: name != "nuclei")


def description_of(folder: Path) -> bytes:
    """Return the text of a model's description; another one, where the model is."""
    try:
        return (folder / DESCRIPTION).read_bytes()
    except OSError as error:
        raise ModelError(
            f"'{folder / DESCRIPTION}' cannot be read: {error.strerror}. Ask for "
            "permission to read it, or copy the whole folder again from where it came."
        ) from error


def _read_description(folder: Path) -> tuple[ModelSpec, str]:
    where = f"'{folder / DESCRIPTION}'"
    try:
        content = json.loads(description_of(folder))
        version = content.get("schema_version")
        digest = content.pop("weights_sha256", "")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{where} is no description of a model. Copy the whole folder again from "
            "where it came."
        ) from error
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ModelError(
            f"The model '{folder}' was written by a newer napari-unet (format "
            f"{version}; this one reads up to {SCHEMA_VERSION}). Update "
            "napari-unet-annotator."
        )
    try:
        return ModelSpec.model_validate(_upgraded(content)), str(digest)
    except (ValidationError, UnetError) as error:
        reason = error.errors()[0] if isinstance(error, ValidationError) else None
        at = ".".join(map(str, reason["loc"])) if reason else "classes"
        why = reason["msg"] if reason else str(error)
        if reason and reason["type"] in NOT_KNOWN:
            raise ModelError(
                f"{where} says something at '{at}' that this napari-unet does not "
                "know: a newer one wrote it, or it was changed by hand. Update "
                "napari-unet-annotator."
            ) from error
        raise ModelError(
            f"{where} is damaged at '{at}': {why}. Copy the whole folder again from "
            "where it came."
        ) from error


def _upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """Return a description of an older format as one of this format."""
    # Nothing was ever made of it.
    content.pop("dimensions", None)
    net = content.get("architecture")
    if content.get("schema_version") == 1 and isinstance(net, dict):
        # Format 1 had a map of distances where later ones have boundaries, which
        # it can still learn.
        net = {k: v for k, v in net.items() if k != "distance"} | {"boundary": True}
        content = {**content, "architecture": net, "schema_version": SCHEMA_VERSION}
    match content.get("normalisation"):
        case {"low": float(low), "high": float(high)} if low >= high:
            # Percentiles in the wrong order stood for the minimum and the maximum.
            content = {**content, "normalisation": {"low": 0.0, "high": 100.0}}
    return content


def place_of(folder: Path) -> Path | None:
    """Return where the model of a folder is now, None if there is none."""
    places = folder, aside_of(folder)
    try:
        return next((p for p in places if (p / DESCRIPTION).is_file()), None)
    except OSError as error:
        raise ModelError(
            f"'{folder}' cannot be looked into: {error.strerror}. Give the folder of a "
            "model that you may read."
        ) from error


def aside_of(folder: Path) -> Path:
    """Return where a model is while another takes its place."""
    folder = folder.absolute()
    return folder.parent / f".{folder.name}-replaced"
