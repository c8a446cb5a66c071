"""``napari-unet doctor``: what works on this machine and what does not."""

import typer
from rich.console import Console

from napari_unet.cli.terminal import say, user_errors

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("BAD", "red")}


def doctor() -> None:
    """Check versions, window, devices, memory and disk; exit code 1 if one is bad."""
    from napari_unet.cli.checks import all_checks

    console = Console()
    bad = 0
    with user_errors():
        for check in all_checks():
            mark, style = MARKS[check.state]
            say(console, f"{mark} {check.name}: {check.text}", style)
            bad += check.state == "bad"
    if bad:
        raise typer.Exit(1)
