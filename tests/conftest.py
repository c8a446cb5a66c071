"""Tests must not touch what a user has: every folder of theirs is a temporary one."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

_HOME = Path(tempfile.mkdtemp(prefix="napari-unet-tests-"))

# napari and platformdirs read these when they are imported, so no fixture can set
# them in time.
for _name in ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"):
    _folder = _HOME / _name.lower()
    _folder.mkdir(mode=0o700)
    os.environ[f"XDG_{_name}"] = str(_folder)

# Tiny nets gain nothing from threads, and threads that spin while they wait make
# each other many times slower on a busy machine. torch reads this when it is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says more of what else the machine does.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# pytest-qt would take PyQt6 wherever it is installed.
if "QT_API" in os.environ:
    os.environ.setdefault("PYTEST_QT_API", os.environ["QT_API"])


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
