"""From labels to what a net should predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fastremap
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float32]
    Integers = NDArray[Any]

IGNORE = -1

# In units of sigma: objects farther apart add less than 0.04 % of the border weight.
REACH = 4

# As in Ronneberger et al. 2015, equation 2; sigma in pixels.
BORDER_WEIGHT, BORDER_SIGMA = 10.0, 5.0

# Where two objects share a square of so many pixels a side, a pixel weighs so much.
NEAR, NEAR_WEIGHT = 5, 5.0

# The pixels of a plane and one of their 8 neighbours; the other four the other way.
PAIRS = (
    (np.s_[1:, :], np.s_[:-1, :]),
    (np.s_[:, 1:], np.s_[:, :-1]),
    (np.s_[1:, 1:], np.s_[:-1, :-1]),
    (np.s_[1:, :-1], np.s_[:-1, 1:]),
)


@dataclass(frozen=True)
class Targets:
    """What a net should predict in one plane or crop.

    Attributes
    ----------
    classes : ndarray
        ``(Y, X)``, int64: the class, -1 where nothing is known.
    weight : ndarray
        ``(Y, X)``, float32: 1, more between objects that touch or nearly so; 0 where
        nothing is known.
    boundary : ndarray
        ``(Y, X)``, bool: pixels of an object beside background or another object.
    known : ndarray
        ``(Y, X)``, bool: where `boundary` and `objects` are known.
    objects : ndarray
        ``(Y, X)``, int32: the number of the object at a pixel, 0 for none.
    """

    classes: NDArray[np.int64]
    weight: Floats
    boundary: Bools
    known: Bools
    objects: NDArray[np.int32]

    def only(self, mask: Bools) -> Targets:
        """Return the targets with nothing known where `mask`, ``(Y, X)``, is False."""
        return Targets(
            np.where(mask, self.classes, IGNORE),
            np.where(mask, self.weight, np.float32(0)),
            self.boundary,
            self.known & mask,
            self.objects,
        )

    def inner(self, margin: int) -> Targets:
        """Return the targets without so many pixels at each side."""
        height, width = self.classes.shape
        part = np.s_[margin : height - margin, margin : width - margin]
        return Targets(
            self.classes[part],
            self.weight[part],
            self.boundary[part],
            self.known[part],
            self.objects[part],
        )


def make_targets(
    scribbles: Integers,
    objects: Integers,
    object_classes: Mapping[int, int],
    verified: Bools,
    *,
    gaps: bool = False,
) -> Targets:
    """Make targets of the labels of one plane or crop.

    A scribble gives its class. In verified regions every other pixel is known too: the
    class of its object or else background.

    Parameters
    ----------
    scribbles : ndarray
        ``(Y, X)``, uint8: 0 not labelled, class + 1 elsewhere.
    objects : ndarray
        ``(Y, X)``, integers: 0 or the id of an object.
    object_classes : mapping of int to int
        The classes of objects that are not of class 1.
    verified : ndarray
        ``(Y, X)``, bool: where the objects are complete.
    gaps : bool
        For a net that predicts no boundaries: where an object meets another one is
        background, so that connected components tells the two apart, and the
        background between objects weighs more (Ronneberger et al. 2015, equation 2):
        at distances d1 and d2 from the two nearest ones
        ``1 + w0 exp(-(d1 + d2)**2 / (2 sigma**2))``, with `BORDER_WEIGHT` for w0
        and `BORDER_SIGMA`, in pixels, for sigma.

    Notes
    -----
    The edge of the arrays is not a boundary of an object.
    """
    classes = labelled_classes(scribbles, objects, object_classes, verified)
    weight = (classes != IGNORE).astype(np.float32)
    # Where a scribble contradicts the object, the boundary is not known.
    of_object = classes_of(objects, object_classes)
    known = verified & ((scribbles == 0) | (scribbles == of_object + 1))
    background, other = _neighbours(objects)
    boundary = background | other
    # Beside what is not verified there may be an object that nobody drew.
    known &= ~(_beside(~verified) & (objects > 0)) | boundary
    if gaps and verified.any() and objects.any():
        classes[verified & (scribbles == 0) & other] = 0
        nearest, second = two_nearest(objects, verified, BORDER_SIGMA * REACH)
        between = verified & (classes == 0) & np.isfinite(second)
        apart = nearest[between] + second[between]
        weight[between] += BORDER_WEIGHT * np.exp(-(apart**2) / (2 * BORDER_SIGMA**2))
    elif not gaps:
        weight[known & _between(objects)] *= NEAR_WEIGHT
    return Targets(classes, weight, boundary, known, objects.astype(np.int32))


def labelled_classes(
    scribbles: Integers,
    objects: Integers,
    object_classes: Mapping[int, int],
    verified: Bools,
) -> NDArray[np.int64]:
    """Return the class of each pixel, -1 where not labelled; scribbles win."""
    classes = np.where(verified, classes_of(objects, object_classes), IGNORE)
    return np.where(scribbles > 0, scribbles.astype(np.int64) - 1, classes)


def classes_of(
    objects: Integers, object_classes: Mapping[int, int] | None = None
) -> NDArray[np.int64]:
    """Return the class of each pixel's object, 0 where there is none.

    Parameters
    ----------
    objects : ndarray
        Any shape, integers.
    object_classes : mapping of int to int, optional
        The classes of objects that are not of class 1.
    """
    if not object_classes:
        return (objects > 0).astype(np.int64)
    ids = fastremap.unique(objects).tolist()
    classes = {i: object_classes.get(i, 1) for i in ids} | {0: 0}
    found: NDArray[np.int64] = fastremap.remap(objects, classes).astype(np.int64)
    return found


def _neighbours(objects: Integers) -> tuple[Bools, Bools]:
    """Return which pixels of objects have background, and which another object, beside.

    Beside are the 8 neighbours.
    """
    background, other = (np.zeros(objects.shape, bool) for _ in range(2))
    for a, b in PAIRS:
        differ = objects[a] != objects[b]
        for here, there in ((a, b), (b, a)):
            inside = differ & (objects[here] > 0)
            background[here] |= inside & (objects[there] == 0)
            other[here] |= inside & (objects[there] > 0)
    return background, other


def _between(objects: Integers) -> Bools:
    """Return the pixels with two objects in the square of `NEAR` pixels around them."""
    from scipy import ndimage

    none = np.iinfo(objects.dtype).max
    highest = ndimage.maximum_filter(objects, NEAR)
    lowest = ndimage.minimum_filter(np.where(objects > 0, objects, none), NEAR)
    between: Bools = (lowest < highest) & (highest > 0)
    return between


def _beside(mask: Bools) -> Bools:
    """Return the pixels with one of `mask` among their 8 neighbours."""
    beside = np.zeros(mask.shape, bool)
    for a, b in PAIRS:
        beside[a] |= mask[b]
        beside[b] |= mask[a]
    return beside


def two_nearest(objects: Integers, where: Bools, reach: float) -> tuple[Floats, Floats]:
    """Return how far the two nearest objects of each pixel are.

    Each object is measured in its own bounding box, so that the cost grows with the
    area of the objects and not with their number times the image.

    Parameters
    ----------
    objects : ndarray
        ``(Y, X)``, integers: 0 or the id of an object.
    where : ndarray
        ``(Y, X)``, bool: where the distances are asked for.
    reach : float
        Pixels; what is farther away is infinite, or longer than that.

    Returns
    -------
    nearest, second : ndarray
        ``(Y, X)``, float32, pixels; infinite where there are not as many objects.
    """
    import edt
    from scipy import ndimage

    ids = np.unique(objects)
    compact = np.searchsorted(ids[ids > 0], objects).astype(np.int32) + 1
    compact[objects == 0] = 0
    nearest = np.full(objects.shape, np.inf, np.float32)
    second = nearest.copy()
    for index, box in enumerate(ndimage.find_objects(compact), start=1):
        around = _grow(box, int(np.ceil(reach)))
        if not where[around].any():
            continue
        apart = edt.edt(compact[around] != index, black_border=False)
        np.minimum(
            second[around], np.maximum(nearest[around], apart), out=second[around]
        )
        np.minimum(nearest[around], apart, out=nearest[around])
    return nearest, second


def _grow(box: tuple[slice, ...], by: int) -> tuple[slice, ...]:
    return tuple(slice(max(s.start - by, 0), s.stop + by) for s in box)
