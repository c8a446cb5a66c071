"""An image, whatever holds it: axes, channels, lazy reading, normalisation."""

from napari_unet.images.region import Region

__all__ = ["Region"]
