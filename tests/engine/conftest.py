import sys
from pathlib import Path

import pytest

from napari_unet.engine import Engine

COMMAND = (
    sys.executable,
    "-u",
    str(Path(__file__).with_name("engine_with_test_jobs.py")),
)


@pytest.fixture
def engine(tmp_path):
    """An engine of one's own, to be killed or closed."""
    with Engine(tmp_path / "logs", COMMAND) as engine:
        yield engine


@pytest.fixture(scope="session")
def warm_engine(tmp_path_factory):
    """An engine shared by the tests that leave it running."""
    with Engine(tmp_path_factory.mktemp("logs"), COMMAND) as engine:
        yield engine
