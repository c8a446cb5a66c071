"""The networks, and the devices they run on."""

from napari_unet.nets.allocator import kept_memory
from napari_unet.nets.unet import UNet

__all__ = ["UNet", "kept_memory"]
