"""``napari-unet models``: which base models ship."""

import typer

from napari_unet.cli.terminal import user_errors


def models() -> None:
    """List the base models and what each is good for."""
    from napari_unet.models import base_models, read_spec

    with user_errors():
        for name in base_models():
            typer.echo(f"{name}: {read_spec(name).description}")
