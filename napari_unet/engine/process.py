"""Start the engine's process, as little open to the world as it can be."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari_unet
from napari_unet.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def new_address(folder: Path) -> str:
    """Return a new address that only this user can reach."""
    name = secrets.token_hex(4)
    if sys.platform == "win32":
        return rf"\\.\pipe\napari-unet-{name}"
    return str(folder / f"{name}.sock")


def start(
    command: Sequence[str], log: Path, setup: Mapping[str, object]
) -> subprocess.Popen[bytes]:
    """Start an engine.

    Parameters
    ----------
    command : sequence of str
        What to run.
    log : Path
        Where its output goes.
    setup : mapping
        What it is told over standard input, where nobody else can read it.

    Raises
    ------
    EngineError
        If there is no such program.
    """
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NO_WINDOW
    else:
        # A group of its own: Ctrl-C in the terminal is for the viewer.
        options["process_group"] = 0
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                **options,
            )
        except OSError as error:
            raise EngineError(
                f"The engine could not be started ('{command[0]}': {error.strerror}). "
                "Install napari-unet-annotator again."
            ) from error
    assert process.stdin is not None
    # A process that died at once is noticed by whoever connects. The pipe to it is
    # broken, which is an invalid argument on Windows.
    with contextlib.suppress(OSError), process.stdin:
        process.stdin.write(json.dumps(setup).encode() + b"\n")
    return process


def _environment() -> dict[str, str]:
    """Return the environment in which the process finds this very package.

    It does not look into the current folder (``-P``), where a user's ``queue.py``
    would be taken for Python's own.
    """
    root = str(Path(napari_unet.__file__).parents[1])
    known = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if Path(root).name != "site-packages" and root not in known:
        known.append(root)
    return {
        # torch's threads else burn the core that the viewer needs while they wait.
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(known),
        # Of the log; the system's may be another one, and lack letters of names.
        "PYTHONIOENCODING": "utf-8",
    }
