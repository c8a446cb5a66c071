from dataclasses import dataclass

import pytest
import tifffile
from cli_squares import squares
from threshold_model import threshold_model
from typer.testing import CliRunner

from napari_unet.cli.app import app
from napari_unet.models import save_model


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
