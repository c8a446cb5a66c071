"""Which part of an image is on screen."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.errors import ImageError
from napari_unet.gui.image.source import has_axes_of, layer_axes, plane_on_screen
from napari_unet.images.region import Region

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_unet.gui.image.target import Target

# What to do where `is_flat` is not so.
FLAT_FIRST = "Show the image in 2-D first, rows and columns."
OUT_OF_SIGHT = "The image is not in sight. Press the house below the layers to see it."


def camera_of(viewer: Viewer) -> Any:
    """Return the viewer's camera, which napari 0.9 has moved to the scene."""
    return getattr(viewer, "scene", viewer).camera


def is_flat(viewer: Viewer, target: Target) -> bool:
    """Say whether rows and columns are displayed: not in 3-D, nor from the side."""
    if viewer.dims.ndisplay != 2 or not has_axes_of(target.layer, target.image):
        return False
    axes = layer_axes(target.layer, target.image)
    shift = viewer.dims.ndim - target.layer.ndim
    return {axes[d - shift] for d in viewer.dims.displayed if d >= shift} == {"Y", "X"}


def flatten(viewer: Viewer, target: Target) -> None:
    """Display rows and columns of an image."""
    axes = layer_axes(target.layer, target.image)
    shift = viewer.dims.ndim - target.layer.ndim
    shown = [shift + axes.index(axis) for axis in "YX"]
    others = [d for d in range(viewer.dims.ndim) if d not in shown]
    viewer.dims.ndisplay = 2
    viewer.dims.order = (*others, *shown)


def region_on_screen(viewer: Viewer, target: Target, most: int) -> Region:
    """Return what is seen of an image, or its middle where that is a lot.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Its camera and sliders.
    target : Target
        The image and its layer.
    most : int
        Pixels along a side at most.

    Raises
    ------
    ImageError
        Where its rows and columns are not what is displayed, as in 3-D or from another
        side, or it is out of sight.
    """
    layer, image = target.layer, target.image
    if not is_flat(viewer, target):
        raise ImageError(FLAT_FIRST)
    axes = layer_axes(layer, image)
    corners = _corners(viewer, layer)
    spans = []
    for axis in "YX":
        i, size = axes.index(axis), image.sizes[axis]
        first, last = int(np.floor(corners[0, i])), int(np.ceil(corners[1, i]))
        start, stop = max(0, first), min(size, last + 1)
        if stop - start < min(size, 2):
            raise ImageError(OUT_OF_SIGHT)
        if stop - start > most:
            start = (start + stop - most) // 2
            stop = start + most
        spans.append((start, stop))
    (y0, y1), (x0, x1) = spans
    plane = plane_on_screen(layer, image, viewer.dims.point)
    return Region(y0, x0, y1, x1, plane)


def middle_on_screen(viewer: Viewer, target: Target, side: int) -> Region:
    """Return the middle of what is seen of an image, or else of the plane.

    Parameters
    ----------
    viewer, target
        See `region_on_screen`.
    side : int
        Its pixels along a side at most.
    """
    try:
        return region_on_screen(viewer, target, side)
    except ImageError:
        shown = plane_on_screen(target.layer, target.image, viewer.dims.point)
        height, width = target.image.plane_shape
        y, x = max(0, (height - side) // 2), max(0, (width - side) // 2)
        return Region(y, x, min(height, y + side), min(width, x + side), shown)


def tile_on_screen(viewer: Viewer, target: Target, size: tuple[int, int]) -> Region:
    """Return a tile around the middle of the view, moved until it is in the image.

    Parameters
    ----------
    viewer, target
        See `region_on_screen`.
    size : (int, int)
        Height and width; the tile is smaller where the image is.
    """
    shown = list(viewer.dims.displayed)[-2:]
    middle = np.array(viewer.dims.point)
    middle[shown] = camera_of(viewer).center[-2:]
    at = target.point(target.layer.world_to_data(middle))
    spans = []
    for centre, side, length in zip(at, size, target.image.plane_shape, strict=True):
        start = max(0, min(int(centre) - side // 2, length - side))
        spans.append((start, min(start + side, length)))
    (y0, y1), (x0, x1) = spans
    plane = plane_on_screen(target.layer, target.image, viewer.dims.point)
    return Region(y0, x0, y1, x1, plane)


def _corners(viewer: Viewer, layer: Layer) -> NDArray[np.float64]:
    """Return where in a layer's data the screen begins and ends, ``(2, ndim)``.

    The layer's own `corner_pixels` are those that napari has loaded, of a pyramid more
    than is seen.
    """
    shown = list(viewer.dims.displayed)
    half = np.asarray(_canvas_size(viewer)) / camera_of(viewer).zoom / 2
    corners = []
    for side in product((-1, 1), repeat=2):
        point = np.array(viewer.dims.point)
        point[shown] = np.asarray(camera_of(viewer).center[-2:]) + side * half
        corners.append(layer.world_to_data(point)[-layer.ndim :])
    return np.stack([np.min(corners, axis=0), np.max(corners, axis=0)])


def _canvas_size(viewer: Viewer) -> Any:
    """Return height and width of what a layer is shown in, in pixels of the screen."""
    canvas = getattr(viewer, "canvas", None)
    # Before napari 0.9 it had no public name.
    return (
        viewer._get_viewbox_size()
        if canvas is None
        else canvas.viewbox_size(viewer.layers)
    )


def show_region(viewer: Viewer, target: Target, region: Region) -> None:
    """Move sliders and camera so that a region of an image is in the middle, in 2-D.

    A pixel of the image is at least one of the screen then: in a view of a whole slide
    nobody would find the region.
    """
    layer = target.layer
    if not is_flat(viewer, target):
        flatten(viewer, target)
    here = layer.world_to_data(viewer.dims.point)[-layer.ndim :]
    middle = {
        **region.plane,
        "Y": (region.y0 + region.y1 - 1) / 2,
        "X": (region.x0 + region.x1 - 1) / 2,
    }
    position = [
        middle.get(axis, at)
        for axis, at in zip(layer_axes(layer, target.image), here, strict=True)
    ]
    point = list(viewer.dims.point)
    point[-layer.ndim :] = layer.data_to_world(position)
    for i in viewer.dims.not_displayed:
        viewer.dims.set_point(i, point[i])
    camera = camera_of(viewer)
    camera.center = tuple(point[i] for i in viewer.dims.displayed)
    camera.zoom = max(camera.zoom, 1 / min(target.point(layer.scale)))
