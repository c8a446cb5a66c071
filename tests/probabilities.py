"""What a net says of a region, tile by tile."""

import numpy as np

from napari_unet.images import Region
from napari_unet.inference.tiles import cut

TILE = 512


def predict_proba(prepared, source, region):
    """Return how likely each class is, ``(n_classes, Y, X)``, in a region of a plane.

    It is the same as for any other region that holds the pixel.
    """
    multiple, margin = prepared.multiple, prepared.margin
    y0, x0 = region.y0 // multiple * multiple, region.x0 // multiple * multiple
    aligned = Region(y0, x0, region.y1, region.x1, region.plane)
    likely = np.empty((prepared.n_classes, *aligned.shape), np.float32)
    for tile in cut(aligned, TILE, multiple):
        height, width = tile.shape
        found = prepared.probabilities([source.read(tile, margin, multiple)])[0][0]
        rows = slice(tile.y0 - y0, tile.y1 - y0)
        columns = slice(tile.x0 - x0, tile.x1 - x0)
        likely[:, rows, columns] = found[:, :height, :width]
    return likely[:, region.y0 - y0 :, region.x0 - x0 :]
