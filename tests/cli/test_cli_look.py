"""``napari-unet models``, ``info`` and ``doctor``."""

import os
import subprocess
import sys

import pytest

from napari_unet import __version__
from napari_unet.models import base_models

PROGRAM = "from napari_unet.cli import main; main()"
# Qt's bindings are there for nobody who looks.
WITHOUT_QT = """
import importlib.metadata, sys
there = importlib.metadata.version
def version(name):
    if name.startswith(("PyQt", "PySide")):
        raise importlib.metadata.PackageNotFoundError(name)
    return there(name)
importlib.metadata.version = version
for name in ("PyQt5", "PyQt6", "PySide2", "PySide6"):
    sys.modules[name] = None
"""


def doctor(before="", **environment):
    env = {k: v for k, v in os.environ.items() if "DISPLAY" not in k} | environment
    result = subprocess.run(
        [sys.executable, "-c", before + PROGRAM, "doctor"],
        capture_output=True,
        text=True,
        env=env,
    )
    assert result.stderr == ""
    # Without a model that ships, what else there is to say stays the same.
    complaints = [
        line
        for line in result.stdout.splitlines()
        if line.startswith("BAD") and not line.startswith("BAD models:")
    ]
    assert result.returncode == int("BAD" in result.stdout)
    return complaints, result.stdout


def test_models_lists_what_ships(run):
    result = run("models")
    assert result.code == 0
    assert [line.partition(":")[0] for line in result.out] == base_models()


def test_info_describes_a_model(run, model):
    result = run("info", model)
    assert result.code == 0
    for line in (
        "name: threshold",
        f"folder: {model}",
        "channels: 1",
        "classes: background, bright",
        "pixel size: not known",
    ):
        assert line in result.out


def test_info_of_no_model_is_one_line(run, tmp_path):
    result = run("info", tmp_path)
    assert (result.code, result.out, len(result.err)) == (2, [], 1)


def test_version(run):
    assert run("--version").out == [__version__]


@pytest.mark.skipif(sys.platform != "linux", reason="a display is there elsewhere")
def test_doctor_without_a_display(tmp_path):
    complaints, text = doctor()
    assert complaints == []
    assert "note OpenGL: no display" in text
    for name in ("Python", "torch", "napari", "cpu", "memory", "disk for work"):
        assert f"ok {name}: " in text


@pytest.mark.skipif(sys.platform != "linux", reason="a display is there elsewhere")
def test_doctor_without_qt():
    complaints, text = doctor(WITHOUT_QT)
    assert complaints == []
    assert "note Qt: none" in text


def test_doctor_with_a_display_that_does_not_answer():
    complaints, _ = doctor(DISPLAY=":9876")
    assert [line.partition(":")[0] for line in complaints] == ["BAD OpenGL"]


@pytest.mark.skipif(
    sys.platform == "linux" and "DISPLAY" not in os.environ, reason="no display"
)
def test_doctor_with_a_display():
    display = {k: v for k, v in os.environ.items() if "DISPLAY" in k}
    complaints, text = doctor(**display)
    assert complaints == []
    assert "ok OpenGL: " in text
