"""From the class of each pixel to objects."""

from napari_unet.instances.components import label_components
from napari_unet.instances.measure import diameters
from napari_unet.instances.watershed import VALLEY, label_hills

__all__ = ["VALLEY", "diameters", "label_components", "label_hills"]
