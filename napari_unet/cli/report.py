"""A page with the images that were predicted worst, in one file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_unet.cli.evaluation import WORST
from napari_unet.cli.pictures import KEY, SIDE, errors_of, one_colour_each, picture, png
from napari_unet.images import written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_unet.cli.evaluation import Scene, Scored

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
<p>Images: {images}.</p>
{tables}
<h2>The worst images</h2>
<p class="key">Errors: {key}</p>
{figures}
</html>
"""


class Gallery:
    """Shows the images that were predicted worst.

    They are drawn as they come, because the pixels of many would fill the memory.

    Attributes
    ----------
    figures : list of (float, str)
        Scores and pictures in HTML, worst first.
    """

    def __init__(self) -> None:
        self.figures: list[tuple[float, str]] = []

    def add(self, scored: Scored, scene: Scene) -> None:
        """Draw an image, if it is among the worst so far."""
        place = sum(mark <= scored.mark for mark, _ in self.figures)
        if place < WORST:
            self.figures.insert(place, (scored.mark, _figure(scored, scene)))
            del self.figures[WORST:]


def write_report(
    path: Path, model: str, gallery: Gallery, figures: Mapping[str, Any]
) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced if it is there.
    model : str
        For the title.
    gallery : Gallery
        What is shown.
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
        figures="\n".join(figure for _, figure in gallery.figures),
    )
    with written_whole(path) as new:
        # An image's name may be no valid text.
        new.write_text(page, encoding="utf-8", errors="backslashreplace")


def _tables(figures: Mapping[str, Any]) -> Iterable[str]:
    if "ap_pooled" in figures:
        yield _table(
            ["AP at an IoU of", *figures["ap_pooled"]],
            [
                ["all objects together", *figures["ap_pooled"].values()],
                ["mean over images", *figures["ap_mean"].values()],
            ],
        )
        words = {
            "F1": "f1",
            "panoptic quality": "panoptic_quality",
            "SEG": "seg",
            "merges": "merges",
            "splits": "splits",
        }
        yield _table(
            ["Objects", *words],
            [["at an IoU of 0.5", *(figures[w] for w in words.values())]],
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
        "image": picture(scene, at),
        "truth": one_colour_each(truth),
        "prediction": one_colour_each(found),
        "errors": errors_of(truth, found, objects=objects),
    }
    plane = ", ".join(
        f"{axis} {i}" for axis, i in zip(scene.image.stack_axes, at, strict=True)
    )
    name = scored.name + (f" ({plane})" if plane else "")
    measure = "AP at an IoU of 0.5" if objects else "Dice"
    row = "".join(
        f'<div>{word}<br><img alt="{word}" src="{png(pixels)}"></div>'
        for word, pixels in panels.items()
    )
    return (
        f"<figure><figcaption><b>{escape(name)}</b>, {measure}: {scored.mark:.2f}"
        f'</figcaption><div class="row">{row}</div></figure>'
    )


def _worst_plane(scene: Scene) -> tuple[int, ...]:
    wrong = ((scene.truth > 0) != (scene.found > 0)).sum(axis=(-2, -1))
    return tuple(int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
