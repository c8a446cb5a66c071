"""An image, whatever holds it: axes, channels, lazy reading, normalisation."""

from napari_unet.images.array import image_from_array
from napari_unet.images.channels import choose_channels, join_channels
from napari_unet.images.chunks import bands
from napari_unet.images.image import Image
from napari_unet.images.label_tiff import write_all_labels, write_labels
from napari_unet.images.labels import read_labels, read_labels_of
from napari_unet.images.normalise import IntensityRange, measure_intensity
from napari_unet.images.open import open_image
from napari_unet.images.region import Region
from napari_unet.images.rescale import rescale
from napari_unet.images.simulate import simulate_nuclei
from napari_unet.images.whole import check_writable, written_whole

__all__ = [
    "Image",
    "IntensityRange",
    "Region",
    "bands",
    "check_writable",
    "choose_channels",
    "image_from_array",
    "join_channels",
    "measure_intensity",
    "open_image",
    "read_labels",
    "read_labels_of",
    "rescale",
    "simulate_nuclei",
    "write_all_labels",
    "write_labels",
    "written_whole",
]
