"""Draw the figures of docs/fully-convolutional.md: ``python docs/draw_figures.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import draw_diagrams
import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import label2rgb
from skimage.segmentation import find_boundaries

from napari_unet.images import image_from_array, measure_intensity, simulate_nuclei
from napari_unet.inference import PredictConfig, Predicted, predict
from napari_unet.inference.features import feature_maps
from napari_unet.inference.tiles import Source
from napari_unet.instances import label_components, label_hills
from napari_unet.models import ARCHITECTURES, load_model
from napari_unet.models.blueprint import blueprint, blueprint_of
from napari_unet.models.drawing import draw, to_svg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

OUT = Path(__file__).parent / "images" / "fcn"
# Side of an image, what is between two, and the random numbers.
PANEL, GAP, SEED = 192, 4, 3
# From fine to coarse and back.
LAYERS = (
    *("down.0.0", "down.1.3", "down.2.3", "down.4.3"),
    *("up.1.3", "up.3.3", "classify"),
)
SKY, AMBER, CYAN = (0.34, 0.71, 0.91), (1, 0.6, 0.1), (0.1, 0.8, 0.8)


def main() -> None:
    """Write all figures."""
    OUT.mkdir(parents=True, exist_ok=True)
    drawings = {
        "convolution": draw_diagrams.convolution(),
        "covering-kernel": draw_diagrams.covering_kernel(),
        "shrinking-borders": draw_diagrams.shrinking_borders(),
    }
    for name, side in (("unet-2015", 572), ("fcn-8s", 500)):
        drawings[name] = to_svg(draw(blueprint(ARCHITECTURES[name], side, side)))
    for name, drawing in drawings.items():
        (OUT / f"{name}.svg").write_text(drawing, encoding="utf-8")
    pixels, objects = simulate_nuclei((PANEL, PANEL), n=18, seed=SEED)
    for name, picture in {
        "tiles": tiles(),
        "feature-maps": inside(pixels),
        "objects": to_objects(pixels, objects),
    }.items():
        # Few shades make a small file.
        shades = (picture.clip(0, 1) * 51).round().astype(np.uint8) * 5
        iio.imwrite(OUT / f"{name}.png", shades, compress_level=9)


def tiles() -> Array:
    """Return two tiles of an image with their mirrored margins, as a net sees them."""
    steps = blueprint(ARCHITECTURES["unet-2015"], 572, 572).steps
    before, after = steps[0].height, steps[-1].height
    margin = (before - after) // 2
    image = image_from_array(simulate_nuclei((after, 2 * after), seed=SEED)[0], "YX")
    source = Source(image, (0,), measure_intensity(image, (0,)))
    # Faint nuclei brighter, as on a screen of small gamma.
    seen = grey(source.read(image.whole(), margin, 4)) ** 0.7
    within = slice(margin, -margin), slice(margin, -margin)
    shown = 0.45 * seen
    shown[within] = seen[within]
    for left, colour in ((0, AMBER), (after, CYAN)):
        outline(shown[:, left : left + before], 4, colour)
        outline(shown[margin:-margin, margin + left : margin + left + after], 8, colour)
    halved: Array = shown.reshape(before // 2, 2, -1, 2, 3).mean((1, 3))
    return halved


def inside(pixels: Array) -> Array:
    """Return an image, and of some layers of the shipped model one feature map."""
    model = load_model("nuclei")
    image, norm = image_from_array(pixels, "YX"), model.spec.normalisation
    channels = (0,) * model.spec.channels
    intensity = measure_intensity(image, channels, norm.low, norm.high)
    shown = intensity.apply(image.read(image.whole(), channels))
    plan = blueprint_of(model.spec, *pixels.shape)
    panels = [grey(shown)]
    places = {step.layer: place for place, step in enumerate(plan.steps)}
    for layer in LAYERS:
        maps = feature_maps(model, shown, plan, places[layer])
        panels.append(enlarged(maps[maps.std((1, 2)).argmax()]))
    return in_rows(panels, 4)


def to_objects(pixels: Array, truth: Array) -> Array:
    """Return the way from classes to objects, the model's and the true ones.

    Above the image and what the shipped model makes of it. Below touching objects:
    components of the true classes, boundaries, and the watershed of them.
    """
    image, settings = image_from_array(pixels, "YX"), PredictConfig(device="cpu")
    *_, last = predict(load_model("nuclei"), image, config=settings)
    assert isinstance(last, Predicted)
    found, numbered = last.labels.semantic, last.labels.instances
    assert numbered is not None
    low, high = np.percentile(pixels, (1, 99.8))
    shown = grey((pixels[np.newaxis] - low) / (high - low))
    classes = (truth > 0).astype(np.uint8)
    edges = find_boundaries(truth, connectivity=2, mode="inner").astype(float)
    # As unsure as a net is.
    boundary = gaussian_filter(edges, 1) / gaussian_filter(edges, 1).max()
    height = (255 * (1 - boundary) * classes).astype(np.uint8)
    components, hills = label_components(classes), label_hills(classes, height)
    for name, count in {
        "found by the model": numbered.max(),
        "true": len(np.unique(truth)) - 1,
        "components": components.max(),
        "watershed": hills.max(),
    }.items():
        print(f"{count} objects: {name}")
    panels = [
        shown,
        coloured(found, shown, [SKY]),
        coloured(numbered, shown),
        coloured(components, shown),
        np.repeat(boundary[..., np.newaxis], 3, axis=2),
        coloured(hills, shown),
    ]
    return in_rows(panels, 3)


def grey(channels: Array) -> Array:
    """Return the first of ``(C, Y, X)`` as ``(Y, X, 3)``, 0 to 1."""
    return np.repeat(channels[0].clip(0, 1)[..., np.newaxis], 3, axis=2)


def enlarged(values: Array) -> Array:
    """Return a feature map in grey, each of its pixels as large as it is."""
    low, high = np.percentile(values, (1, 99))
    times = PANEL // len(values)
    stretched = (values - low) / (high - low)
    return grey(np.kron(stretched, np.ones((times, times)))[np.newaxis])


def coloured(labels: Array, image: Array, colours: list[Any] | None = None) -> Array:
    """Return an image with its labels in colour and outlined."""
    mixed: Array = label2rgb(labels, image, colours, alpha=0.45, bg_label=0)
    mixed[find_boundaries(labels, mode="inner")] = 1
    return mixed


def in_rows(panels: list[Array], columns: int) -> Array:
    """Return pictures in rows of so many, with white between them."""
    edge = (0, GAP), (0, GAP), (0, 0)
    framed = [np.pad(panel, edge, constant_values=1.0) for panel in panels]
    rows = [framed[i : i + columns] for i in range(0, len(framed), columns)]
    whole = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    return whole[:-GAP, :-GAP]


def outline(part: Array, width: int, colour: tuple[float, ...]) -> None:
    """Draw the border of a part of a picture into it."""
    for edge in (slice(width), slice(-width, None)):
        part[edge] = colour
        part[:, edge] = colour


if __name__ == "__main__":
    main()
