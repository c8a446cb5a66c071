"""Pictures of an image, its labels and what is wrong with them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import fastremap
import numpy as np

from napari_unet.images import choose_channels, measure_intensity
from napari_unet.metrics import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_unet.cli.evaluation import Scene

    Colours = NDArray[np.uint8]

# Pixels along a picture at most.
SIDE = 400
# Told apart with every kind of colour blindness (Okabe and Ito 2008).
RIGHT, MISSED, FALSE, MIXED = (
    (200, 200, 200),
    (0, 114, 178),
    (230, 159, 0),
    (204, 121, 167),
)
KEY = (
    (RIGHT, "found"),
    (MISSED, "missed"),
    (FALSE, "found where nothing is"),
    (MIXED, "fused, split or taken for something else"),
)


def picture(scene: Scene, at: tuple[int, ...]) -> Colours:
    """Return the image as it is looked at: in colour, or its first channel in grey.

    Few of its pixels, as of all pictures: see `thinned`.
    """
    image = scene.image
    channels = choose_channels(image, 3) if image.rgb else (0,)
    plane = dict(zip(image.stack_axes, at, strict=True))
    intensity = measure_intensity(image, channels)
    read = image.read(image.whole(plane), channels)
    pixels = np.stack([thinned(channel) for channel in read])
    pixels = intensity.apply(pixels).clip(0, 1)
    grey_or_rgb = np.broadcast_to(pixels, (3, *pixels.shape[1:]))
    return (grey_or_rgb * 255).astype(np.uint8).transpose(1, 2, 0)


def thinned(plane: NDArray[Any]) -> NDArray[Any]:
    """Return every n-th pixel of a plane, so that there are `SIDE` along it at most."""
    step = -(-max(plane.shape) // SIDE)
    return plane[::step, ::step]


def one_colour_each(labels: NDArray[np.integer]) -> Colours:
    """Give each number a colour that is far from that of its neighbours."""
    labels = thinned(labels)
    # Turning by the golden angle never comes back to the same hue.
    angle = labels[..., np.newaxis] * 2.39996 + np.array([0, 2.0944, 4.18879])
    colours: Colours = (153 + 102 * np.cos(angle)).astype(np.uint8)
    colours[labels == 0] = 0
    return colours


def errors_of(
    truth: NDArray[np.integer], found: NDArray[np.integer], *, objects: bool
) -> Colours:
    """Colour what is right and what is wrong.

    Parameters
    ----------
    truth, found : ndarray, (Y, X)
        Label images.
    objects : bool
        Whether the labels are objects, which are right where they overlap with an IoU
        above 0.5, and not classes, which are right where they are equal.

    Returns
    -------
    ndarray, (Y, X, 3), uint8
        Of `thinned` labels.
    """
    partner = None
    if objects:
        pairs = overlaps(truth, found)
        good = pairs.iou > 0.5
        # By their places in order: the numbers themselves may be in the billions.
        truths, founds = (fastremap.unique(a) for a in (truth, found))
        truths, founds = truths[truths > 0], founds[founds > 0]
        partner = np.full(len(truths), -1)
        partner[pairs.rows[good]] = pairs.columns[good]
    truth, found = thinned(truth), thinned(found)
    there, said = truth > 0, found > 0
    right = there & (truth == found)
    if partner is not None:
        right = there & said
        right[right] = partner[np.searchsorted(truths, truth[right])] == (
            np.searchsorted(founds, found[right])
        )
    colours = np.zeros((*truth.shape, 3), np.uint8)
    for where, colour in (
        (there & said, MIXED),
        (there & ~said, MISSED),
        (said & ~there, FALSE),
        (right, RIGHT),
    ):
        colours[where] = colour
    return colours


def png(pixels: Colours) -> str:
    """Return a picture as the address of an ``img``."""
    import imageio.v3 as imageio

    file = io.BytesIO()
    imageio.imwrite(file, pixels, extension=".png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
