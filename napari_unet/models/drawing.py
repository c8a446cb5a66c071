"""A net drawn as the papers draw it: a U, or the ladder of an FCN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from napari_unet.models.steps import SIDE_BY_SIDE

if TYPE_CHECKING:
    from napari_unet.models.steps import Blueprint, Kind, Step

# All in pixels. Of the boxes:
TALLEST, SHORTEST, THINNEST = 150.0, 16.0, 5.0
# From box to box, down and up; from row to row; around the drawing; from one entry of
# the legend to the next.
GAP, WIDE_GAP, ROW_GAP, EDGE, LEGEND_STEP = 20.0, 38.0, 62.0, 40.0, 165.0
# How wide a digit of a size is.
DIGIT = 7.0

COLOURS: dict[Kind, str] = {
    "conv": "#2f6fb0",
    "pool": "#c0392b",
    "up": "#3a9d5d",
    "join": "#8a8f98",
    "sum": "#8a8f98",
    "score": "#159a9c",
    "crop": "#b07d2b",
    "image": "#555b66",
}
BROKEN = "#e0483e"
LEGEND: dict[Kind, str] = {
    "conv": "convolution, ReLU",
    "pool": "max pooling 2x2",
    "up": "transposed convolution",
    "join": "copy and crop",
    "sum": "crop and add",
    "score": "1x1 convolution",
    "crop": "crop or extend",
}


@dataclass(frozen=True)
class Box:
    """The maps of a step, as a rectangle; `place` is the step's in the blueprint."""

    place: int
    step: Step
    x: float
    y: float
    width: float
    height: float

    @property
    def side(self) -> str:
        """Height and width of the maps, one number where they are the same."""
        return _side(self.step)


@dataclass(frozen=True)
class Arrow:
    """From one box to another, by the kind of step that the second one is."""

    kind: Kind
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def head(self) -> tuple[tuple[float, float], ...]:
        """The corners of the arrow's head."""
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        length = math.hypot(dx, dy) or 1.0
        dx, dy = 4 * dx / length, 4 * dy / length
        x, y = self.x1 - 2 * dx, self.y1 - 2 * dy
        return (self.x1, self.y1), (x - dy, y + dx), (x + dy, y - dx)


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, in pixels from the top left."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float
    problem: str | None


def draw(blueprint: Blueprint) -> Drawing:
    """Lay the steps of a net out: one row for each resolution, from left to right."""
    steps = blueprint.steps
    largest = max(max(s.height, s.width) for s in steps)

    def tall(step: Step) -> float:
        # By the root, or the deepest maps would be too small to see.
        return max(SHORTEST, TALLEST * math.sqrt(step.height / largest))

    levels = range(max(s.level for s in steps) + 1)
    rows: list[float] = []
    y = EDGE
    for level in levels:
        rows.append(y)
        y += max((tall(s) for s in steps if s.level == level), default=0) + ROW_GAP
    boxes: list[Box] = []
    x = EDGE
    # The sizes under two boxes are not to run into each other.
    gap = max(GAP, DIGIT * max(len(_side(s)) for s in steps) - THINNEST + 2)
    for place, step in enumerate(steps):
        width = max(THINNEST, math.sqrt(step.channels))
        if step.kind == "pool":
            # Straight down.
            x = boxes[step.of[0]].x
        elif boxes:
            # Room for an arrow that climbs between two numbers.
            climbed = boxes[-1].step.level - step.level
            x += max(0, climbed) * (WIDE_GAP - GAP)
        boxes.append(Box(place, step, x, rows[step.level], width, tall(step)))
        x += width + gap
    arrows = [
        _arrow(boxes[source], box, first=source == box.step.of[0])
        for box in boxes
        for source in box.step.of
    ]
    right = max(box.x + box.width for box in boxes) + EDGE
    return Drawing(tuple(boxes), tuple(arrows), right, y, blueprint.problem)


def _side(step: Step) -> str:
    height, width = step.height, step.width
    return f"{height}" if height == width else f"{height}x{width}"


def _arrow(source: Box, box: Box, *, first: bool) -> Arrow:
    kind = box.step.kind
    right = source.x + source.width
    if box.y > source.y:
        at = source.x + min(source.width, box.width) / 2
        return Arrow(kind, at, source.y + source.height + 17, at, box.y - 18)
    if box.y < source.y:
        middles = [b.y + b.height / 2 for b in (source, box)]
        return Arrow(kind, right, middles[0], box.x, middles[1])
    # What comes from far away passes behind the tops of other boxes.
    near = first and box.place - source.place == 1
    y = box.y + (min(source.height, box.height) / 2 if near else 8)
    return Arrow(kind, right, y, box.x, y)


def explain(step: Step) -> str:
    """Say what a step does, in a sentence for who has never built a net."""
    k, n = step.kernel, step.channels
    if step.layer == SIDE_BY_SIDE:
        return "The classes and the boundary of objects, side by side."
    return {
        "image": f"The image: {n} channel{'s' * (n > 1)}.",
        "conv": f"{n} filters look at {k} x {k} pixels of all maps before, at every "
        "place alike, and give a map each.",
        "pool": "Of each square of 2 x 2 pixels the largest value stays: half the "
        "size, and what follows sees twice as far.",
        "up": f"Each pixel is spread over {k} x {k}: the maps grow, with filters that "
        "are learnt.",
        "join": "Fine maps from the way down are cropped to this size and put beside "
        "the coarse ones, to say where edges are.",
        "sum": "The scores of finer maps are cropped to this size and added.",
        "score": f"A 1x1 convolution: at each pixel, {n} weighted sum"
        f"{'s' * (n > 1)} over the maps, for the classes or the boundary of objects.",
        "crop": "The edge is repeated, or cropped again, so that the size fits.",
    }[step.kind]


def to_svg(drawing: Drawing) -> str:
    """Return a drawing as an SVG picture, with a legend and tooltips."""
    kinds = [k for k in LEGEND if any(a.kind == k for a in drawing.arrows)]
    height = drawing.height + 26 + (24 if drawing.problem else 0)
    width = max(drawing.width, LEGEND_STEP * len(kinds) + EDGE)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" '
        'font-size="11" fill="#222">',
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
    ]
    for arrow in drawing.arrows:
        parts.append(
            f'<line x1="{arrow.x0:.1f}" y1="{arrow.y0:.1f}" x2="{arrow.x1:.1f}" '
            f'y2="{arrow.y1:.1f}" stroke="{COLOURS[arrow.kind]}" stroke-width="2"/>'
            f'<polygon fill="{COLOURS[arrow.kind]}" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow.head)
            + '"/>'
        )
    for box in drawing.boxes:
        s = box.step
        middle = box.x + box.width / 2
        edge = BROKEN if drawing.problem and box is drawing.boxes[-1] else "#2f4f73"
        parts.append(
            f"<g><title>{escape(s.layer)} {s.size}: {escape(explain(s))}</title>"
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" fill="#dbe7f3" stroke="{edge}"/>'
            f'<text x="{middle:.1f}" y="{box.y - 5:.1f}" text-anchor="middle">'
            f"{s.channels}</text>"
            f'<text x="{middle:.1f}" y="{box.y + box.height + 13:.1f}" '
            f'text-anchor="middle" font-size="9" fill="#666">{box.side}</text></g>'
        )
    if drawing.problem:
        parts.append(
            f'<text x="{EDGE:g}" y="{drawing.height:g}" fill="{BROKEN}">'
            f"Does not fit: {escape(drawing.problem)}</text>"
        )
    for i, kind in enumerate(kinds):
        x = EDGE + LEGEND_STEP * i
        parts.append(
            f'<rect x="{x:g}" y="{height - 18:g}" width="12" height="4" '
            f'fill="{COLOURS[kind]}"/><text x="{x + 17:g}" y="{height - 12:g}">'
            f"{LEGEND[kind]}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
