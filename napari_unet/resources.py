"""Where files are: icons, samples and models that ship, and what the user makes."""

from pathlib import Path

from napari_unet.errors import UnetError

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """Return the path of a shipped file or folder, e.g. ``"models/nuclei"``.

    A wheel holds them inside the package, a checkout (an editable install) beside
    it.

    Raises
    ------
    UnetError
        If the installation is missing it.
    """
    for root in (_PACKAGE / "resources", _PACKAGE.parent / "resources"):
        if (root / name).exists():
            return root / name
    raise UnetError(
        f"The file '{name}' that belongs to napari-unet is missing from this "
        "installation. Install napari-unet-annotator again."
    )


def data_folder() -> Path:
    """Return where the user's labels and trained models are kept."""
    from platformdirs import user_data_path

    return user_data_path("napari-unet", appauthor=False)
