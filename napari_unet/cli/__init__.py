"""The command line: ``napari-unet predict``, ``models``, ``info`` and ``doctor``."""

from napari_unet.cli.app import main

__all__ = ["main"]
