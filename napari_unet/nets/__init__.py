"""The networks, and the devices they run on."""

from napari_unet.nets.allocator import kept_memory
from napari_unet.nets.census import count_parameters, is_fully_convolutional
from napari_unet.nets.convert import fully_convolutional
from napari_unet.nets.fcn import FCN
from napari_unet.nets.maskrcnn import MaskRCNN
from napari_unet.nets.net import SegmentationNet
from napari_unet.nets.patches import PatchClassifier
from napari_unet.nets.unet import UNet

__all__ = [
    "FCN",
    "MaskRCNN",
    "PatchClassifier",
    "SegmentationNet",
    "UNet",
    "count_parameters",
    "fully_convolutional",
    "is_fully_convolutional",
    "kept_memory",
]
