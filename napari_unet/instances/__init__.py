"""From the class of each pixel to objects."""

from napari_unet.instances.components import label_components

__all__ = ["label_components"]
