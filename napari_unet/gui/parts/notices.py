"""What napari tells the user when something goes wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_unet.errors import UnetError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def user_errors() -> Iterator[None]:
    """Tell the user of an error that they can mend, and go on after the block."""
    from napari.utils.notifications import show_error

    try:
        yield
    except UnetError as error:
        show_error(str(error))


def report(error: Exception) -> None:
    """Report a mistake in the program as napari does, with its traceback."""
    from napari.utils.notifications import notification_manager

    notification_manager.receive_error(type(error), error, error.__traceback__)
