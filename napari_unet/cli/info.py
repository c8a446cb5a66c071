"""``napari-unet info``: what a model is."""

from typing import Annotated

import typer

from napari_unet.cli.terminal import user_errors


def info(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A name that `napari-unet models` lists, or a model's folder.",
        ),
    ],
) -> None:
    """Describe a model: its images, classes, net and where it comes from."""
    from napari_unet.models import find_model, read_spec

    with user_errors():
        spec, folder = read_spec(model), find_model(model)
        lines = {
            "name": spec.name,
            "description": spec.description,
            "folder": str(folder),
            "channels": str(spec.channels),
            "classes": ", ".join(spec.classes.names),
            "net": str(spec.architecture),
            "intensities": f"percentiles {spec.normalisation.low:g} to "
            f"{spec.normalisation.high:g} become 0 to 1",
            "pixel size": f"{spec.pixel_size:g} µm" if spec.pixel_size else "not known",
            "objects": "connected areas of a class"
            if spec.valley is None
            else f"parted where they touch, by valleys {spec.valley:g} deep",
            "diameter": f"{spec.diameter:.0f} pixels" if spec.diameter else "",
            **{key.replace("_", " "): text for key, text in spec.provenance.items()},
        }
        for key, value in lines.items():
            if value:
                typer.echo(f"{key}: {value}")
