"""What the commands say on standard error: errors in one line, and progress."""

from __future__ import annotations

import errno
import os
import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from napari_unet.errors import UnetError, is_gpu_failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BAD_INPUT = 2
STOPPED = 130
# What ends a command, and does so at once when it comes a second time.
_SECOND: Mapping[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
# Shells tell of a terminal that is closed, and the system does so too. There is none on
# Windows.
_CLOSED = getattr(signal, "SIGHUP", None)


def say(console: Console, text: object, style: str = "") -> None:
    """Print `text` as it is, in one line however long."""
    line = " ".join(str(text).split())
    console.print(line, style=style, soft_wrap=True, markup=False, highlight=False)


def error_console() -> Console:
    """Return the console that errors, warnings and progress go to."""
    return Console(stderr=True)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn an error that the user can mend into one line and exit code 2."""
    try:
        yield
    except UnetError as error:
        text = str(error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        text = "What is printed goes to a disk that is full. Free some space."
    except RuntimeError as error:
        if not is_gpu_failure(error):
            raise
        reason = str(error).partition("\n")[0]
        text = f"The graphics card failed ({reason}). Try again, or add --device cpu."
    else:
        return
    say(error_console(), text, "red")
    raise typer.Exit(BAD_INPUT)


@contextmanager
def interrupted() -> Iterator[Event]:
    """Give an event that Ctrl-C sets, so that what was done until then is kept.

    So does SIGTERM, which clusters send to a job whose time is over, and SIGHUP, which
    comes when the terminal is closed. An exception instead would come anywhere, also
    where a library swallows it. A second Ctrl-C is one, for whatever never comes to
    ask. Before, see `cli.main`.
    """
    stop = Event()
    heard = [*_SECOND]
    # With nohup a terminal may be closed.
    if _CLOSED is not None and signal.getsignal(_CLOSED) != signal.SIG_IGN:
        heard.append(_CLOSED)
    before = {number: signal.getsignal(number) for number in heard}
    # Once it is closed nothing tells that it was one.
    terminals = [output for output in (1, 2) if os.isatty(output)]

    def note(number: int, frame: object) -> None:
        if number == _CLOSED:
            _print_nowhere(terminals)
        stop.set()
        _handle(_SECOND)

    _handle(dict.fromkeys(heard, note))
    try:
        yield stop
    finally:
        _handle(before)


def _print_nowhere(outputs: Sequence[int]) -> None:
    """Let what is printed to a terminal that is closed be no error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        os.dup2(nowhere, output)
    os.close(nowhere)


def _handle(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def progress_bar(console: Console) -> Progress:
    """Return a bar that is drawn on a terminal only and leaves nothing behind."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # Above the bar on a terminal; what goes to a file would end up there, too.
        redirect_stdout=os.isatty(1),
    )
