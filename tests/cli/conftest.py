from dataclasses import dataclass

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from cli_squares import squares
from threshold_model import threshold_model
from typer.testing import CliRunner

from napari_unet.annotation import ClassScheme
from napari_unet.cli.app import app
from napari_unet.models import ModelSpec, UNetArchitecture, build, save_model


@dataclass
class Result:
    """What a command left behind."""

    code: int
    out: list[str]
    err: list[str]


@pytest.fixture
def run():
    """Run ``napari-unet`` in this process."""

    def run(*arguments):
        result = CliRunner().invoke(
            app, [str(a) for a in arguments], catch_exceptions=False
        )
        return Result(
            result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()
        )

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "threshold"
    save_model(threshold_model(), folder)
    return folder


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, squares())
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Save a base model that trains in no time."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    spec = ModelSpec(
        name="tiny",
        channels=1,
        classes=ClassScheme.named("cell"),
        architecture=UNetArchitecture(depth=1, width=4, max_width=8),
    )
    save_model(build(spec), folder)
    return folder


@pytest.fixture
def folders(tmp_path):
    """Make two images, their object masks and strokes on one of them."""
    images, labels, scribbles = (tmp_path / n for n in ("images", "labels", "strokes"))
    for folder in (images, labels, scribbles):
        folder.mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        objects = np.zeros((96, 80), np.uint16)
        for i, (y, x) in enumerate(random.integers(0, 60, (5, 2)), start=1):
            objects[y : y + 12, x : x + 12] = i
        pixels = (objects > 0) * 150 + random.integers(0, 40, objects.shape)
        iio.imwrite(images / f"{name}.png", pixels.astype(np.uint8))
        tifffile.imwrite(labels / f"{name}.tif", objects)
    strokes = np.zeros((96, 80), np.uint8)
    strokes[objects > 0] = 2
    strokes[90:] = 1
    tifffile.imwrite(scribbles / "b.tif", strokes)
    return images, labels, scribbles
