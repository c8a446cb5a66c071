"""A page with the images that were predicted worst, in one file."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.images import choose_channels, measure_intensity, written_whole
from napari_unet.metrics import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_unet.cli.evaluation import Scene, Scored

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
    (FALSE, "nothing is there"),
    (MIXED, "fused, split or taken for something else"),
)

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px sans-serif; margin: 2em; color: #222; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }}
th:first-child {{ text-align: left; }}
figure {{ margin: 1.5em 0; }} figcaption {{ margin-bottom: .4em; }}
.row {{ display: flex; flex-wrap: wrap; gap: 8px; }}
.row div {{ flex: 0 1 {side}px; }} img {{ width: 100%; image-rendering: pixelated; }}
.key span {{ display: inline-block; width: 1em; height: 1em; margin: 0 .4em 0 1em;
vertical-align: -.1em; border: 1px solid #888; }}
</style>
<h1>{title}</h1>
<p>{images} images.</p>
{tables}
<h2>The worst images</h2>
<p class="key">Errors: {key}</p>
{figures}
</html>
"""


def write_report(
    path: Path,
    model: str,
    worst: Iterable[tuple[Scored, Scene]],
    figures: Mapping[str, Any],
) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced if it is there.
    model : str
        For the title.
    worst : iterable of (Scored, Scene)
        What is shown, worst first.
    figures : mapping
        From `evaluation.summary`.

    Raises
    ------
    ImageError
        If the file cannot be written.
    """
    page = PAGE.format(
        title=escape(f"Evaluation of {model}"),
        side=SIDE,
        images=figures["images"],
        tables="\n".join(_tables(figures)),
        key="".join(
            f'<span style="background: rgb{colour}"></span>{words}'
            for colour, words in KEY
        ),
        figures="\n".join(_figure(scored, scene) for scored, scene in worst),
    )
    with written_whole(path) as new:
        # An image's name may be no valid text.
        new.write_text(page, encoding="utf-8", errors="backslashreplace")


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
    """
    there, said = truth > 0, found > 0
    right = there & (truth == found)
    if objects:
        pairs = overlaps(truth, found)
        good = pairs.iou > 0.5
        # By their places in order: the numbers themselves may be in the billions.
        truths, founds = (np.unique(a[a > 0]) for a in (truth, found))
        partner = np.full(len(truths), -1)
        partner[pairs.rows[good]] = pairs.columns[good]
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


def _tables(figures: Mapping[str, Any]) -> Iterable[str]:
    if "ap_pooled" in figures:
        yield _table(
            ["AP at an IoU of", *figures["ap_pooled"]],
            [
                ["all objects together", *figures["ap_pooled"].values()],
                ["mean over images", *figures["ap_mean"].values()],
            ],
        )
        words = ("f1", "panoptic_quality", "seg", "merges", "splits")
        yield _table(
            ["Objects", *(w.replace("_", " ") for w in words)],
            [["at an IoU of 0.5", *(figures[w] for w in words)]],
        )
    yield _table(
        ["Pixels", "Dice", "IoU"],
        [[name, d, figures["iou"][name]] for name, d in figures["dice"].items()],
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    def line(cells: Iterable[Any]) -> str:
        texts = (f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells)
        first, *others = (escape(text) for text in texts)
        return f"<tr><th>{first}</th>" + "".join(f"<td>{t}</td>" for t in others)

    return "<table>" + "\n".join(map(line, [head, *rows])) + "</table>"


def _figure(scored: Scored, scene: Scene) -> str:
    objects = scored.objects is not None
    at = _worst_plane(scene)
    truth, found = scene.truth[at], scene.found[at]
    panels = {
        "image": _picture(scene, at),
        "truth": _one_colour_each(truth),
        "prediction": _one_colour_each(found),
        "errors": errors_of(truth, found, objects=objects),
    }
    plane = ", ".join(
        f"{axis} {i}" for axis, i in zip(scene.image.stack_axes, at, strict=True)
    )
    name = scored.name + (f" ({plane})" if plane else "")
    measure = "AP at 0.5" if objects else "Dice"
    row = "".join(
        f'<div>{word}<br><img alt="{word}" src="{_png(pixels)}"></div>'
        for word, pixels in panels.items()
    )
    return (
        f"<figure><figcaption><b>{escape(name)}</b>: {measure} {scored.mark:.2f}"
        f'</figcaption><div class="row">{row}</div></figure>'
    )


def _worst_plane(scene: Scene) -> tuple[int, ...]:
    wrong = ((scene.truth > 0) != (scene.found > 0)).sum(axis=(-2, -1))
    return tuple(int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))


def _picture(scene: Scene, at: tuple[int, ...]) -> Colours:
    """Return the image as it is looked at: in colour, or its first channel in grey."""
    image = scene.image
    channels = choose_channels(image, 3) if image.rgb else (0,)
    plane = dict(zip(image.stack_axes, at, strict=True))
    intensity = measure_intensity(image, channels)
    pixels = intensity.apply(image.read(image.whole(plane), channels)).clip(0, 1)
    grey_or_rgb = np.broadcast_to(pixels, (3, *pixels.shape[1:]))
    return (grey_or_rgb * 255).astype(np.uint8).transpose(1, 2, 0)


def _one_colour_each(labels: NDArray[np.integer]) -> Colours:
    """Give each number a colour that is far from that of its neighbours."""
    # Turning by the golden angle never comes back to the same hue.
    angle = labels[..., np.newaxis] * 2.39996 + np.array([0, 2.0944, 4.18879])
    colours: Colours = (153 + 102 * np.cos(angle)).astype(np.uint8)
    colours[labels == 0] = 0
    return colours


def _png(pixels: Colours) -> str:
    """Return a picture as the address of an ``img``."""
    import imageio.v3 as imageio

    step = -(-max(pixels.shape[:2]) // SIDE)
    file = io.BytesIO()
    imageio.imwrite(file, pixels[::step, ::step], extension=".png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
