"""The engine: a second process for torch, and the viewer's end of it."""

from napari_unet.engine.arrays import SharedArray
from napari_unet.engine.client import Engine

__all__ = ["Engine", "SharedArray"]
