"""What importing loads, seen in processes of their own."""

import subprocess
import sys

HEAVY = {
    "PyQt5",
    "PyQt6",
    "dask",
    "napari",
    "numpy",
    "qtpy",
    "scipy",
    "skimage",
    "tifffile",
    "torch",
    "zarr",
}


def loaded_by(code):
    """Return which of the heavy packages are loaded after running `code`."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return HEAVY & set(output.stdout.split())


def test_the_package_loads_nothing_heavy():
    assert loaded_by("import napari_unet") == set()


def test_the_manifest_and_resources_load_nothing_heavy():
    assert loaded_by("from napari_unet.resources import resource") == set()


def test_the_panel_loads_no_torch():
    code = (
        "import napari_unet.gui, napari_unet.gui.widget, napari_unet.gui.commands, "
        "napari_unet.gui.samples, napari_unet.gui.demo"
    )
    assert "torch" not in loaded_by(code)
    assert "napari" in loaded_by(code)


def test_what_the_panel_uses_loads_no_image_libraries():
    code = "import napari_unet.images, napari_unet.models, napari_unet.engine.messages"
    assert loaded_by(code) <= {"numpy"}


def test_training_and_predicting_load_no_qt():
    code = "import napari_unet.training, napari_unet.inference, napari_unet.engine"
    code += "\nimport napari_unet.inference.prepare, napari_unet.nets.device"
    assert not loaded_by(code) & {"PyQt5", "PyQt6", "napari", "qtpy"}
