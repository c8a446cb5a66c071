"""The commands of ``napari-unet``, put together."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from napari_unet import __version__
from napari_unet.cli.doctor import doctor
from napari_unet.cli.evaluate import evaluate
from napari_unet.cli.info import info
from napari_unet.cli.models import models
from napari_unet.cli.predict import predict
from napari_unet.cli.summary import summary
from napari_unet.cli.train import train

app = typer.Typer(
    name="napari-unet",
    help="Segment cells with a U-Net.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (predict, train, evaluate, models, info, summary, doctor):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            metavar="",
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run what the arguments of this process ask for."""
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name may be no valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    # torch's threads else burn the cores while they wait: beside other programs a
    # prediction took 13 times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app()
