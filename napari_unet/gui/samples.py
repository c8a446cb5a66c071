"""Images to try things on."""

from __future__ import annotations

from typing import Any

LayerData = tuple[Any, dict[str, Any], str]


def nuclei() -> list[LayerData]:
    """Return simulated fluorescent nuclei and, hidden, where they truly are."""
    from napari_unet.images import simulate_nuclei

    image, truth = simulate_nuclei()
    return [
        (truth, {"name": "nuclei ground truth", "visible": False}, "labels"),
        (image, {"name": "nuclei", "colormap": "gray"}, "image"),
    ]


def histology() -> list[LayerData]:
    """Return a colour image of a stained tissue section.

    Colonic glands, immunohistochemistry with haematoxylin counterstain
    (scikit-image's `skimage.data.immunohistochemistry`).
    """
    from skimage.data import immunohistochemistry

    return [(immunohistochemistry(), {"name": "histology", "rgb": True}, "image")]
