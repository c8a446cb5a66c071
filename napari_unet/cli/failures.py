"""Images that could not be done, while the others are."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_unet.cli.terminal import say
from napari_unet.errors import UnetError, too_large
from napari_unet.images.omezarr import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console


class Failures:
    """Says what went wrong with each image, and counts.

    Parameters
    ----------
    console : Console
        Where it is said.

    Attributes
    ----------
    count : int
        Images that could not be done.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.count = 0

    def add(self, error: UnetError) -> None:
        """Say an error, and count it."""
        self.count += 1
        say(self._console, error, "red")

    @contextmanager
    def of(self, image: Path) -> Iterator[None]:
        """Go on after an error that the user can mend in what is done to an image.

        Raises
        ------
        UnetError
            If the disk is full: work on further images would be for nothing.
        """
        try:
            yield
        except MemoryError:
            self.add(too_large(image))
        except UnetError as error:
            text = str(error)
            if getattr(error.__cause__, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise UnetError(f"{text} The images after it are not done.") from error
            # The images of a plate are called 0 or 1, all of them.
            name = str(image) if is_zarr(image.parent) else image.name
            self.add(error if name in text else UnetError(f"{image}: {text}"))
