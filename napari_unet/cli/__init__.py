"""The command line: ``napari-unet``, a file for each command."""

from napari_unet.cli.app import main

__all__ = ["main"]
