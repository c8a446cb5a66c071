"""Which labelled pixels are held out to see how well training does.

The share is about a fifth, and it is made of whole strokes and whole verified
regions, so that what is judged is not the other half of what was learnt. A *piece* is
what is new since the last time and hangs together: scribbles of one class, or a
verified region.

- A piece is held out if that brings its class nearer to a fifth of its pixels than
  leaving it does; a verified region counts for all classes together.
- Where that leaves next to nothing held out, as with one stroke or one image, one end
  of the largest new piece is, if that end is large enough to tell anything.
- What is assigned stays: new pixels that lengthen a stroke of the training part join
  it, and a pixel leaves the training part only when its label is erased.
- A class is never left without training pixels: rather nothing of it is held out.

The order in which pieces are looked at is a hash of where they are, so that the same
labels give the same split on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.images.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from napari_unet.annotation.annotation import Annotation
    from napari_unet.annotation.blocks import Key

SHARE = 0.2

# Next to nothing is held out: less than this part of the share.
SCARCE = 0.25

# An end of a piece with fewer pixels is not worth holding out.
SMALLEST_END = 32

# The kind of a piece that is a verified region; others have their scribbles' value.
VERIFIED = 256


@dataclass(frozen=True, eq=False)
class _Piece:
    annotation: Annotation
    region: Region
    mask: NDArray[np.bool_]
    kind: int
    order: bytes

    @property
    def size(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def group(self) -> slice:
        """The classes among which it is counted, as rows of a tally."""
        verified = self.kind == VERIFIED
        return slice(None) if verified else slice(self.kind - 1, self.kind)

    def end(self, size: int) -> NDArray[np.bool_]:
        """Return the part of the mask at one end, of at least `size` pixels."""
        along = int(np.argmax(self.mask.shape))
        counts = self.mask.sum(axis=1 - along)
        forward = self.order[0] % 2 == 0
        counts = counts if forward else counts[::-1]
        length = int(np.searchsorted(counts.cumsum(), size)) + 1
        keep = np.zeros(self.mask.shape[along], bool)
        keep[slice(length) if forward else slice(-length, None)] = True
        return self.mask & (keep[:, None] if along == 0 else keep)


def hold_out(annotations: Mapping[str, Annotation]) -> None:
    """Assign every labelled pixel that has no part yet to training or validation.

    Only blocks that changed since the last call are looked at.

    Parameters
    ----------
    annotations : mapping of str to Annotation
        All annotations of a training set under names that stay the same; their
        `split` is written.
    """
    pieces = [
        piece
        for name, annotation in annotations.items()
        for keys in _clusters(annotation.take_undecided())
        for piece in _pieces(name, annotation, keys)
    ]
    pieces.sort(key=lambda piece: piece.order)
    tally = sum((a.tally() for a in annotations.values()), np.zeros((256, 3), np.int64))
    # Verified regions count for many classes, so they go first.
    for group in (
        [piece for piece in pieces if piece.kind == VERIFIED],
        [piece for piece in pieces if piece.kind != VERIFIED],
    ):
        for piece in group:
            if piece.size / 2 < _missing(piece, tally):
                _hold(piece, piece.mask, tally)
        for piece in sorted(group, key=lambda piece: -piece.size):
            missing = _missing(piece, tally)
            end = int(min(missing, piece.size / 2))
            scarce = missing > (1 - SCARCE) * SHARE * tally[piece.group].sum()
            if scarce and end >= SMALLEST_END:
                _hold(piece, piece.end(end), tally)
    for label in np.flatnonzero((tally[:, HELD_OUT] > 0) & (tally[:, TRAINING] == 0)):
        for annotation in annotations.values():
            _release(annotation, int(label))


def _missing(piece: _Piece, tally: NDArray[np.int64]) -> float:
    """Return how many pixels of its group must be held out to make a fifth."""
    classes = tally[piece.group]
    return float(SHARE * classes.sum() - classes[:, HELD_OUT].sum())


def _hold(piece: _Piece, mask: NDArray[np.bool_], tally: NDArray[np.int64]) -> None:
    annotation, region = piece.annotation, piece.region
    # An end of a large region is looked at without the rest.
    there = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(int(at[0]), int(at[-1]) + 1) for at in there)
    mask, region = mask[rows, columns], region.part(rows, columns)
    split = annotation.split.read(region)
    # An end of a piece that is held out already must not count twice.
    mask = mask & (split != HELD_OUT)
    split[mask] = HELD_OUT
    annotation.assign(region, split)
    counts = np.bincount(annotation.classes(region)[mask], minlength=256)
    tally[:, HELD_OUT] += counts
    tally[:, TRAINING] -= counts


def _release(annotation: Annotation, label: int) -> None:
    for region in annotation.labelled():
        split = annotation.split.read(region)
        split[(split == HELD_OUT) & (annotation.classes(region) == label)] = TRAINING
        annotation.assign(region, split)


def _pieces(name: str, annotation: Annotation, keys: list[Key]) -> Iterator[_Piece]:
    """Give what is new in these blocks to training; yield the pieces to decide on."""
    import cc3d
    from scipy import ndimage

    regions = [annotation.split.region(key) for key in keys]
    # One pixel more on each side shows what a new piece touches.
    window = Region(
        min(r.y0 for r in regions) - 1,
        min(r.x0 for r in regions) - 1,
        max(r.y1 for r in regions) + 1,
        max(r.x1 for r in regions) + 1,
        regions[0].plane,
    )
    kind = annotation.scribbles.read(window).astype(np.uint16)
    kind[(kind == 0) & annotation.verified.read(window)] = VERIFIED
    before = annotation.split.read(window)
    new = np.zeros(window.shape, bool)
    for r in regions:
        at = r.within(window)
        new[at] = (kind[at] > 0) & (before[at] == 0)
        split = np.where(new[at], np.uint8(TRAINING), before[at])
        annotation.assign(r, split * (kind[at] > 0))
    parts = cc3d.connected_components(np.where(new, kind, np.uint16(0)), connectivity=8)
    for index, box in enumerate(ndimage.find_objects(parts.astype(np.int32)), start=1):
        mask = parts[box] == index
        y, x = box[0].start, box[1].start + int(np.argmax(mask[0]))
        value = int(kind[y, x])
        if value < VERIFIED:
            around = tuple(slice(s.start - 1, s.stop + 1) for s in box)
            near = ndimage.binary_dilation(np.pad(mask, 1), np.ones((3, 3)))
            if (near & (kind[around] == value) & (before[around] == TRAINING)).any():
                continue
        plane = sorted(window.plane.items())
        where = f"{name} {plane} {value} {window.y0 + y} {window.x0 + x}"
        order = blake2b(where.encode(errors="surrogatepass"), digest_size=8).digest()
        yield _Piece(annotation, window.part(*box), mask, value, order)


def _clusters(keys: set[Key]) -> Iterator[list[Key]]:
    """Yield the keys of blocks that lie side by side or corner to corner."""
    left = set(keys)
    while left:
        cluster = [left.pop()]
        for *plane, row, column in cluster:
            for y in (row - 1, row, row + 1):
                for x in (column - 1, column, column + 1):
                    key = (*plane, y, x)
                    if key in left:
                        left.remove(key)
                        cluster.append(key)
        yield cluster
