"""Small diagrams for docs/fully-convolutional.md, as SVG; see draw_figures.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from napari_unet.models import ARCHITECTURES
from napari_unet.models.blueprint import blueprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ORANGE, BLUE, TEAL, GREY, MINUS = "#e07b00", "#2f6fb0", "#159a9c", "#555b66", "−"
# Of a pixel in a grid.
SIDE = 28
# A bright cell on dark ground.
CELL = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 2, 2, 1, 1, 1],
        [1, 2, 8, 9, 7, 1, 1],
        [1, 2, 9, 9, 9, 2, 1],
        [1, 1, 8, 9, 8, 2, 1],
        [1, 1, 1, 2, 2, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ]
)
LEFT_EDGE = np.array([[-1, 0, 1]] * 3)


def convolution() -> str:
    """Draw a 3x3 convolution and a 1x1 convolution, with true numbers."""
    left, right = (np.maximum(convolve(CELL, s * LEFT_EDGE), 0) for s in (1, -1))
    bright = convolve(CELL, np.ones((3, 3))) // 9
    window = CELL[1:4, 1:4]
    y, below = 60, 330
    parts = [
        text(20, 20, "A 3x3 convolution: a weighted sum of neighbours", colour=BLUE),
        text(20, y - 10, "pixels: a bright cell"),
        grid(20, y, CELL, 9),
        frame(20 + SIDE, y + SIDE, 3),
        text(229, y + 3.7 * SIDE, "×", 20),
        text(260, y + 2 * SIDE - 10, "kernel"),
        grid(260, y + 2 * SIDE, LEFT_EDGE, 1),
        text(363, y + 3.7 * SIDE, "=", 20),
        text(400, y + SIDE - 10, "feature map: left edges"),
        grid(400, y + SIDE, left, 22),
        frame(400 + SIDE, y + 2 * SIDE, 1),
    ]
    for i, pair in enumerate(zip(window, LEFT_EDGE, strict=True)):
        terms = " ".join(f"{w:+d}·{n}" for n, w in zip(*pair, strict=True))
        parts.append(text(590, y + (2.2 + 0.7 * i) * SIDE, terms, colour=ORANGE))
    total = f"= {(window * LEFT_EDGE).sum()}"
    parts += [
        text(590, y + 4.3 * SIDE, total, colour=ORANGE),
        text(20, below - 40, "A 1x1 convolution: a weighted sum of maps", colour=BLUE),
    ]
    score = 3 * bright - left - right
    for i, (words, values, sign) in enumerate(
        [
            ("+3 × brightness", bright, "+"),
            ("-1 × left edges", left, "+"),
            ("-1 × right edges", right, "="),
            ("score of “inside a cell”", score, ""),
        ]
    ):
        x = 20 + 190 * i
        parts += [
            text(x, below - 10, words),
            grid(x, below, values, int(values.max())),
            frame(x + 2 * SIDE, below + 2 * SIDE, 1),
            text(x + 5.5 * SIDE, below + 2.7 * SIDE, sign, 20),
        ]
    return svg(760, 490, parts)


def covering_kernel() -> str:
    """Draw a fully connected layer, the same as a convolution, and what one gains."""
    wide = np.random.default_rng(4).integers(0, 10, (4, 6))
    scores = convolve(wide, np.array([[1, 0], [-1, 2]]))
    small = wide[:2, :2]
    parts = [
        text(20, 24, "Fully connected", colour=BLUE),
        text(20, 46, "the last map of a patch,"),
        text(20, 62, "written as a list"),
        grid(20, 90, small, 9),
        text(92, 124, "→", 20),
    ]
    for i, n in enumerate(small.ravel()):
        y = 76 + SIDE * i
        parts.append(line(160, y + SIDE / 2, 208, y=132))
        parts.append(grid(132, y, np.array([[n]]), 9))
    parts += [
        grid(208, 118, scores[:1, :1], 20),
        frame(208, 118, 1),
        text(204, 164, "score"),
        text(310, 24, "The same, as a convolution", colour=BLUE),
        text(310, 46, "the kernel covers the whole map:"),
        text(310, 62, "one place, one score"),
        grid(310, 90, small, 9),
        frame(310, 90, 2),
        text(378, 124, "→", 20),
        grid(408, 104, scores[:1, :1], 20),
        frame(408, 104, 1),
        text(560, 24, "On a larger image", colour=BLUE),
        text(560, 46, "the same weights:"),
        text(560, 62, "each score is that of one patch"),
        grid(560, 90, wide, 9),
        frame(560, 90, 2),
        frame(560 + 3 * SIDE, 90 + 2 * SIDE, 2, TEAL),
        text(740, 152, "→", 20),
        grid(770, 104, scores, 20),
        frame(770, 104, 1),
        frame(770 + 3 * SIDE, 104 + 2 * SIDE, 1, TEAL),
    ]
    return svg(930, 225, parts)


def shrinking_borders() -> str:
    """Draw what is lost at the borders: by two convolutions, and by a whole U-Net."""
    steps = blueprint(ARCHITECTURES["unet-2015"], 572, 572).steps
    before, after = steps[0].height, steps[-1].height
    parts = [text(20, 24, "Two 3x3 convolutions, seen from the side", colour=BLUE)]
    for lost, words in enumerate(("pixels of the image", "after one", "after two")):
        n, y = 12 - 2 * lost, 225 - 75 * lost
        for column in range(n):
            # What the fourth pixel of the top row has seen.
            seen = abs(column + lost - 5) <= 2 - lost
            fill = "#fbd9b0" if seen else "#eef1f5"
            parts.append(box(20 + (lost + column) * SIDE, y, SIDE, SIDE, fill, GREY))
        parts.append(text(20 + lost * SIDE, y + SIDE + 16, f"{n} {words}"))
    side, inner = 0.45 * before, 0.45 * after
    lost_side, x, y = (side - inner) / 2, 450, 45
    parts += [
        text(x, 24, "The U-Net of 2015, to scale", colour=BLUE),
        box(x, y, side, side, "#e8e9ec", GREY),
        box(x + lost_side, y + lost_side, inner, inner, "#cfe3f5", BLUE),
        text(x + 8, y + 24, f"It sees {before} x {before} pixels"),
        text(x + lost_side + 8, y + lost_side + 24, "and says the class"),
        text(x + lost_side + 8, y + lost_side + 41, f"of {after} x {after}"),
        line(x, y + side / 2, x + lost_side, y + side / 2),
        text(x + 12, y + side / 2 - 7, str((before - after) // 2), colour=ORANGE),
    ]
    return svg(730, 320, parts)


def convolve(pixels: Array, kernel: Array) -> Array:
    """Return the weighted sum of the pixels under a kernel, wherever it fits."""
    windows = sliding_window_view(pixels, kernel.shape)
    sums: Array = (windows * kernel).sum((-2, -1))
    return sums


def svg(width: int, height: int, parts: list[str]) -> str:
    """Return a picture on white."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" fill="#222">',
            box(0, 0, width, height, "white", "none"),
            *parts,
            "</svg>",
            "",
        ]
    )


def box(
    x: float, y: float, width: float, height: float, fill: str, edge: str, bold: int = 1
) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'fill="{fill}" stroke="{edge}" stroke-width="{bold}"/>'
    )


def line(x0: float, y0: float, x1: float, y: float) -> str:
    """Return a line that ends at (x1, y)."""
    return (
        f'<line x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y:g}" stroke="{ORANGE}" '
        'stroke-width="2"/>'
    )


def frame(x: float, y: float, cells: int, colour: str = ORANGE) -> str:
    """Return a frame around some cells of a grid."""
    return box(x, y, cells * SIDE, cells * SIDE, "none", colour, 3)


def text(x: float, y: float, words: str, size: int = 13, colour: str = "#222") -> str:
    """Return a line of text that begins at (x, y)."""
    words = re.sub(r"-(?=\d)", MINUS, words)
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}">{words}</text>'
    )


def grid(x: float, y: float, values: Array, largest: int) -> str:
    """Return numbers as a grid of pixels: brighter for more, blue below zero."""
    parts = []
    for (i, j), n in np.ndenumerate(values.astype(int)):
        light = min(abs(n) / largest, 1)
        grey, blue = round(60 + 195 * light), round(70 + 170 * light)
        fill = f"rgb({grey},{grey},{grey})" if n >= 0 else f"rgb(60,60,{blue})"
        ink = "#111" if n >= 0 and light > 0.45 else "#fff"
        left, top = x + j * SIDE, y + i * SIDE
        parts.append(box(left, top, SIDE, SIDE, fill, "#999"))
        parts.append(
            f'<text x="{left + SIDE / 2:g}" y="{top + SIDE / 2 + 4.5:g}" fill="{ink}" '
            f'font-size="12" text-anchor="middle">{str(n).replace("-", MINUS)}</text>'
        )
    return "\n".join(parts)
