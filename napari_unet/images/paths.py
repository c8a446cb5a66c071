"""Paths as users write them."""

from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Return a path with the home folder in place of ``~``, where there is one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~name of nobody is a name like others
        return Path(path)
