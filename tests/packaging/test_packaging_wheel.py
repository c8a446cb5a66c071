"""The package as users get it: built, installed away from the checkout, and used."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TORCH = (
    os.environ.get("NAPARI_UNET_TORCH") or f"torch=={version('torch').split('+')[0]}"
)
SOURCES = ("napari_unet", "resources", "pyproject.toml", "README.md", "LICENSE")

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(1200)]

FIND = """
import json, npe2, sys
import napari_unet
from napari_unet.models import base_models
from napari_unet.resources import resource
plugins = npe2.PluginManager.instance()
plugins.discover()
manifest = plugins.get_manifest("napari-unet-annotator")
print(json.dumps({
    "package": napari_unet.__file__,
    "icon": resource("icons/unet.svg").is_file(),
    "models": base_models(),
    "widgets": [w.display_name for w in manifest.contributions.widgets],
    "samples": [s.key for s in manifest.contributions.sample_data],
}))
"""
SIMULATE = """
import sys, tifffile
from napari_unet.images import simulate_nuclei
tifffile.imwrite(sys.argv[1], simulate_nuclei()[0])
"""


def run(*command, cwd):
    """Run a command that sees nothing of the checkout; return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A folder with the sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]
    run(*build, folder, cwd=ROOT)
    run(*build, folder / "direct", "--wheel", cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The folder of the programs of a fresh virtual environment with torch."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", TORCH, cwd=folder)
    return programs


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def programs(request, dist, environment, tmp_path_factory):
    """The environment with the package installed in one of the three ways."""
    if request.param == "wheel":
        what = [next(dist.glob("*.whl"))]
    elif request.param == "sdist":
        what = ["--no-deps", "--force-reinstall", next(dist.glob("*.tar.gz"))]
    else:
        checkout = tmp_path_factory.mktemp("checkout")
        for name in SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, checkout / name)
        what = ["--no-deps", "--force-reinstall", "-e", checkout]
    run(environment / "python", "-m", "pip", "install", *what, cwd=dist)
    return environment


def names(wheel):
    with zipfile.ZipFile(wheel) as file:
        return sorted(file.namelist())


def test_a_wheel_from_the_sdist_is_the_wheel_from_the_checkout(dist):
    built, direct = next(dist.glob("*.whl")), next(dist.glob("direct/*.whl"))
    assert names(built) == names(direct)


def test_the_wheel_holds_the_package_and_the_resources_alone(dist):
    files = [Path(name) for name in names(next(dist.glob("*.whl")))]
    assert {f.parts[0].split("-")[0] for f in files} == {
        "napari_unet",
        "napari_unet_annotator",
    }
    inside = {"/".join(f.parts[1:]) for f in files}
    assert {"napari.yaml", "py.typed", "resources/icons/unet.svg"} <= inside
    assert "resources/models/nuclei/weights.safetensors" in inside
    assert not [f for f in files if f.suffix == ".pyc"]


def test_the_sdist_holds_what_developing_needs(dist):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as file:
        files = {name.partition("/")[2] for name in file.getnames()}
    assert {
        "napari.yaml",
        "pyproject.toml",
        "Makefile",
        ".ci/with-display",
        "resources/models/nuclei/weights.safetensors",
        "tests/packaging/test_packaging_wheel.py",
        "docs/architecture.md",
    } <= files
    assert not [name for name in files if name.startswith(".venv")]


def test_what_ships_is_found(programs, tmp_path):
    found = json.loads(run(programs / "python", "-c", FIND, cwd=tmp_path))
    assert ROOT not in Path(found.pop("package")).parents
    assert found == {
        "icon": True,
        "models": ["nuclei", "axons"],
        "widgets": ["U-Net", "Model explorer"],
        "samples": ["nuclei", "histology"],
    }


def test_the_command_predicts(programs, tmp_path):
    run(programs / "python", "-c", SIMULATE, "cells.tif", cwd=tmp_path)
    arguments = ["--model", "nuclei", "--out", "out", "--json"]
    command = [programs / "napari-unet", "predict", "cells.tif", *arguments]
    report = json.loads(run(*command, cwd=tmp_path))
    assert report["objects"] > 10
    assert (tmp_path / "out" / "cells_semantic.tif").is_file()
    assert (tmp_path / "out" / "cells_instances.tif").is_file()
