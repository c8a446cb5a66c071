"""Tests must not touch what a user has: every folder of theirs is a temporary one."""

import os
import shutil
import tempfile
from pathlib import Path

_HOME = Path(tempfile.mkdtemp(prefix="napari-unet-tests-"))

# napari and platformdirs read these when they are imported, so no fixture can set
# them in time.
for _name in ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"):
    _folder = _HOME / _name.lower()
    _folder.mkdir(mode=0o700)
    os.environ[f"XDG_{_name}"] = str(_folder)


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
