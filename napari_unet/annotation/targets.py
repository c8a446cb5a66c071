"""From labels to what a net should predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Targets:
    """What a net should predict in one plane or crop.

    Attributes
    ----------
    classes : ndarray
        ``(Y, X)``, int64: the class, -1 where nothing is known.
    weight : ndarray
        ``(Y, X)``, float32: 1 and the border weight; 0 where nothing is known.
    distance : ndarray
        ``(Y, X)``, float32, 0 to 1: distance to the edge of the pixel's object over
        the largest one in that object; 0 in the background.
    known : ndarray
        ``(Y, X)``, bool: where `distance` is known.
    """

    classes: NDArray[np.int64]
    weight: Floats
    distance: Floats
    known: Bools

    def only(self, mask: Bools) -> Targets:
        """Return the targets with nothing known where `mask`, ``(Y, X)``, is False."""
        return Targets(
            np.where(mask, self.classes, IGNORE),
            np.where(mask, self.weight, np.float32(0)),
            self.distance,
            self.known & mask,
        )


def make_targets(
    scribbles: Integers,
    objects: Integers,
    object_classes: Mapping[int, int],
    verified: Bools,
    *,
    border_weight: float = 10.0,
    border_sigma: float = 5.0,
) -> Targets:
    """Make targets of the labels of one plane or crop.

    A scribble gives its class. In verified regions every other pixel is known too:
    the class of its object or else background, and background also where an object
    meets another one, so that connected components, with 4 or with 8 neighbours, tells
    the two apart.

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
    border_weight, border_sigma : float
        w0 and sigma, in pixels, of Ronneberger et al. 2015, equation 2: background
        at distances d1 and d2 from the two nearest objects weighs
        ``1 + w0 exp(-(d1 + d2)**2 / (2 sigma**2))``.

    Notes
    -----
    The edge of the arrays is not an edge of an object. An object that a crop cuts is
    measured by what the crop shows of it, so cut crops with some margin.
    """
    classes = labelled_classes(scribbles, objects, object_classes, verified)
    weight = (classes != IGNORE).astype(np.float32)
    distance = np.zeros(classes.shape, np.float32)
    # A scribble that contradicts the object leaves the distance unknown.
    of_object = classes_of(objects, object_classes)
    known = verified & ((scribbles == 0) | (scribbles == of_object + 1))
    if not verified.any() or not objects.any():
        return Targets(classes, weight, distance, known)
    classes[verified & (scribbles == 0) & _contacts(objects)] = 0
    nearest, second = _measure(objects, verified, border_sigma * REACH, distance)
    between = verified & (classes == 0) & np.isfinite(second)
    apart = nearest[between] + second[between]
    weight[between] += border_weight * np.exp(-(apart**2) / (2 * border_sigma**2))
    return Targets(classes, weight, distance, known)


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
    classes = (objects > 0).astype(np.int64)
    if object_classes and classes.any():
        ids = np.array(sorted(object_classes), np.int64)
        values = np.array([object_classes[i] for i in ids.tolist()], np.int64)
        at = np.searchsorted(ids, objects).clip(max=len(ids) - 1)
        found = ids[at] == objects
        classes[found] = values[at[found]]
    return classes


def _contacts(objects: Integers) -> Bools:
    """Return the pixels of objects with another object among their 8 neighbours."""
    contact = np.zeros(objects.shape, bool)
    for a, b in (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[1:, 1:], np.s_[:-1, :-1]),
        (np.s_[1:, :-1], np.s_[:-1, 1:]),
    ):
        meet = (objects[a] != objects[b]) & (objects[a] > 0) & (objects[b] > 0)
        contact[a] |= meet
        contact[b] |= meet
    return contact


def _measure(
    objects: Integers, verified: Bools, reach: float, distance: Floats
) -> tuple[Floats, Floats]:
    """Fill `distance`; return how far the two nearest objects of each pixel are.

    Each object is measured in its own bounding box, so that the cost grows with the
    area of the objects and not with their number times the image.
    """
    from scipy import ndimage

    ids = np.unique(objects)
    compact = np.searchsorted(ids[ids > 0], objects).astype(np.int32) + 1
    compact[objects == 0] = 0
    nearest = np.full(objects.shape, np.inf, np.float32)
    second = nearest.copy()
    for index, box in enumerate(ndimage.find_objects(compact), start=1):
        around = _grow(box, int(np.ceil(reach)))
        if not verified[around].any():
            continue
        apart = ndimage.distance_transform_edt(compact[around] != index)
        np.minimum(
            second[around], np.maximum(nearest[around], apart), out=second[around]
        )
        np.minimum(nearest[around], apart, out=nearest[around])
        box = _grow(box, 1)
        inside = compact[box] == index
        depth = ndimage.distance_transform_edt(inside)
        if inside.all():
            depth = np.ones(inside.shape)
        distance[box][inside] = depth[inside] / depth.max()
    return nearest, second


def _grow(box: tuple[slice, ...], by: int) -> tuple[slice, ...]:
    return tuple(slice(max(s.start - by, 0), s.stop + by) for s in box)
