"""How an engine is started that knows the jobs of these tests, too."""

import sys
from pathlib import Path

COMMAND = (
    sys.executable,
    "-u",
    str(Path(__file__).with_name("engine_with_test_jobs.py")),
)
