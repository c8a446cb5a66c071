"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[
    str,
    typer.Option(
        metavar="NAME|FOLDER",
        help="A name that `napari-unet models` lists, or a model's folder.",
    ),
]
ImageFolder = Annotated[Path, typer.Option(metavar="DIR", help="Folder of images.")]
Channel = Annotated[
    str | None,
    typer.Option(metavar="N[,N]", help="The images' channels to use, counted from 0."),
]
Axes = Annotated[
    str | None,
    typer.Option(
        metavar="ZYX",
        help="A letter for each axis of the images (T, Z, C, Y, X), where the file "
        "names them wrongly or not at all.",
    ),
]
DEVICE = typer.Option(
    metavar="NAME",
    help="What computes: auto, cpu, mps (Apple) or cuda (NVIDIA; cuda:1 is a second "
    "card).",
)
DeviceName = Annotated[str, DEVICE]
Diameter = Annotated[
    str | None,
    typer.Option(
        metavar="N|auto",
        help="Of the objects in pixels, where they are much larger or smaller than "
        "those the model was trained on; auto estimates it from the middle plane.",
    ),
]
MinSize = Annotated[
    int, typer.Option(metavar="N", help="Objects with fewer pixels are left out.")
]
Flips = Annotated[
    bool,
    typer.Option(
        "--flips",
        metavar="",
        help="Look from four sides and take the mean: four times slower.",
    ),
]
