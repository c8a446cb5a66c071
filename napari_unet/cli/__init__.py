"""The command line: ``napari-unet``, a file for each command."""

import signal


def main() -> None:
    """Run the command line: exit code 0, 2 for bad input, 130 after Ctrl-C."""
    # Ctrl-C ends the process at once while there is nothing to keep or to remove. As an
    # exception, which is usual, some libraries swallow it while they are loaded, and
    # torch aborts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from napari_unet.cli.app import run

    run()
