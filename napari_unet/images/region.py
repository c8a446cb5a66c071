"""A rectangle in one plane of an image."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels, `y0 <= y < y1` and `x0 <= x < x1`, in one plane.

    Attributes
    ----------
    y0, x0, y1, x1 : int
        Bounds in pixels; the upper ones are excluded.
    plane : mapping of str to int
        The position on every other axis but the channel's, e.g. ``{"Z": 3}``;
        empty for a 2-D image.
    """

    y0: int
    x0: int
    y1: int
    x1: int
    plane: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.y1 <= self.y0 or self.x1 <= self.x0:
            raise ValueError(f"an empty region: {self}")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and the columns, to index a plane ``(Y, X)``."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def intersect(self, other: "Region") -> "Region | None":
        """Return what both cover, or None where they do not meet."""
        if dict(self.plane) != dict(other.plane):
            return None
        y0, x0 = max(self.y0, other.y0), max(self.x0, other.x0)
        y1, x1 = min(self.y1, other.y1), min(self.x1, other.x1)
        if y0 >= y1 or x0 >= x1:
            return None
        return Region(y0, x0, y1, x1, self.plane)

    def within(self, whole: "Region") -> tuple[slice, slice]:
        """Return the rows and the columns of another region that this one is."""
        y, x = self.y0 - whole.y0, self.x0 - whole.x0
        height, width = self.shape
        return slice(y, y + height), slice(x, x + width)

    def part(self, rows: slice, columns: slice) -> "Region":
        """Return these rows and columns of the region, as one of its own."""
        y0, x0 = self.y0 + rows.start, self.x0 + columns.start
        y1, x1 = self.y0 + rows.stop, self.x0 + columns.stop
        return Region(y0, x0, y1, x1, self.plane)

    def grow(self, margin: int) -> "Region":
        """Return the region with so many pixels more at each side."""
        y0, x0 = self.y0 - margin, self.x0 - margin
        return Region(y0, x0, self.y1 + margin, self.x1 + margin, self.plane)
