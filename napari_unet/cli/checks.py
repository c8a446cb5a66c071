"""The single checks of ``napari-unet doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

from napari_unet import __version__
from napari_unet.errors import UnetError
from napari_unet.resources import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("torch", "napari", "numpy", "zarr", "tifffile")
BINDINGS = ("PyQt5", "PyQt6", "PySide6")
ENOUGH_MEMORY = 2e9
ENOUGH_DISK = 1e9


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: fine, worth knowing, or in the way."""

    name: str
    state: Literal["ok", "note", "bad"]
    text: str


def all_checks() -> Iterator[Check]:
    """Look at one thing after the other; needs neither a display nor Qt."""
    yield Check("Python", "ok", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _window()
    yield from _models()
    yield from _devices()
    yield from _room()


def _packages() -> Iterator[Check]:
    yield Check("napari-unet", "ok", __version__)
    for name in PACKAGES:
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "bad", "missing. Install napari-unet-annotator again.")


def _window() -> Iterator[Check]:
    """Start a Qt of its own in another process: without a display Qt aborts."""
    display = sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    in_the_way: Literal["bad", "note"] = "bad" if display else "note"
    installed = [f"{b} {version(b)}" for b in BINDINGS if _is_installed(b)]
    if not installed:
        hint = 'Install with: pip install "napari-unet-annotator[pyqt5]"'
        yield Check("Qt", in_the_way, f"none, so napari has no window. {hint}")
        return
    yield Check("Qt", "ok", ", ".join(installed))
    if not display:
        yield Check("OpenGL", "note", "no display here; predicting works without one.")
        return
    command = [sys.executable, "-m", "napari_unet.gui.probe"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=60)
        opened = found.returncode == 0
    except subprocess.TimeoutExpired:
        opened = False
    if opened:
        yield Check("OpenGL", "ok", found.stdout)
    else:
        hint = "Update the graphics driver; on Debian: apt install libegl1 libgl1."
        yield Check("OpenGL", "bad", f"Qt cannot open a window. {hint}")


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _models() -> Iterator[Check]:
    from napari_unet.models import base_models, load_model

    if not base_models():
        text = "none shipped. Install napari-unet-annotator again."
        yield Check("models", "bad", text)
    for name in base_models():
        try:
            load_model(name)
        except UnetError as error:
            yield Check(f"model {name}", "bad", str(error))
        else:
            yield Check(f"model {name}", "ok", "its weights are whole.")


def _devices() -> Iterator[Check]:
    from napari_unet.nets.choice import available_devices, try_device

    names = available_devices()
    for name in names:
        try:
            device = try_device(name)
        except UnetError as error:
            # Without a graphics card the CPU does the work; without it nothing does.
            yield Check(name, "bad" if name == "cpu" else "note", str(error))
        else:
            text = f"{device.label}, passed its self-test, works in {device.precision}."
            yield Check(name, "ok", text)


def _room() -> Iterator[Check]:
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f} GB."
    yield Check("memory", "ok" if memory.available > ENOUGH_MEMORY else "note", text)
    data = data_folder()
    while not data.exists():
        data = data.parent
    for what, folder in (("work", str(data)), ("passing files", tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free
        state: Literal["ok", "bad"] = "ok" if free > ENOUGH_DISK else "bad"
        text = f"{free / 1e9:.1f} GB free at {folder}"
        yield Check(f"disk for {what}", state, text)
