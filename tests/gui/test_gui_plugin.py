"""The manifest, the samples, and what the viewer's process loads."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gui_annotate import FIRST, annotate, keep_in
from npe2 import PluginManifest
from qtpy.QtWidgets import QMenu

import napari_unet
from napari_unet.gui.samples import histology, nuclei
from napari_unet.gui.session import session_of
from napari_unet.gui.widget import UnetWidget

SHOW_THE_PANEL = (
    "from napari.components import ViewerModel\n"
    "from qtpy.QtTest import QTest\n"
    "from qtpy.QtWidgets import QApplication\n"
    "app = QApplication([])\n"
    "from napari_unet.gui.widget import UnetWidget\n"
    "widget = UnetWidget(ViewerModel())\n"
    "widget.show()\n"
)

MANIFEST = Path(napari_unet.__file__).parent / "napari.yaml"
NAME = "napari-unet-annotator"


def test_commands_exist():
    manifest = PluginManifest.from_file(MANIFEST)
    assert manifest.name == NAME
    manifest.validate_imports()


def test_is_in_the_segment_menu():
    menus = PluginManifest.from_file(MANIFEST).contributions.menus
    commands = [item.command for item in menus["napari/layers/segment"]]
    assert f"{NAME}.open" in commands
    assert f"{NAME}.predict" in commands


@pytest.fixture
def installed(npe2pm):
    """Our plugin as napari finds it, in a clean plugin manager."""
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    return npe2pm


def texts(menu: QMenu) -> set[str]:
    menu.aboutToShow.emit()
    found = set()
    for action in menu.actions():
        found.add(action.text().replace("&", ""))
        if action.menu() is not None:
            found |= texts(action.menu())
    return found


def test_napari_shows_it(installed, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    bar = viewer.window._qt_window.menuBar()
    menus = {action.text().replace("&", ""): action.menu() for action in bar.actions()}
    assert {"U-Net (U-Net)", "Predict the chosen image (U-Net)"} <= texts(
        menus["Layers"]
    )
    assert "U-Net (U-Net)" in texts(menus["Plugins"])
    assert "Simulated fluorescent nuclei" in texts(menus["File"])

    _, widget = viewer.window.add_plugin_dock_widget(NAME, "U-Net")
    assert isinstance(widget, UnetWidget)
    viewer.open_sample(NAME, "nuclei")
    viewer.open_sample(NAME, "histology")
    assert [x.name for x in viewer.layers] == [
        "nuclei ground truth",
        "nuclei",
        "histology",
    ]
    viewer.close()


def test_layers_are_followed_in_a_panel_that_napari_opens(
    installed, make_napari_viewer, engine, blobs, tmp_path, qtbot
):
    viewer = make_napari_viewer(show=True)
    session_of(viewer).engine = engine
    annotations = keep_in(viewer, tmp_path)
    _, widget = viewer.window.add_plugin_dock_widget(NAME, "U-Net")
    viewer.add_image(blobs, name="field")
    image = annotate(widget.annotate_panel, qtbot)
    assert viewer.layers["field scribbles"] is image.scribbles
    image.scribbles.paint((10, 15), FIRST)
    viewer.layers.remove("field scribbles")
    viewer.layers.remove("field")
    assert annotations.images == []
    annotations.close()
    viewer.close()


def test_nuclei_sample():
    (truth, truth_options, kind), (image, _, image_kind) = nuclei()
    assert (kind, image_kind) == ("labels", "image")
    assert truth_options["visible"] is False
    assert image.shape == truth.shape
    assert truth.max() > 20
    assert image[truth > 0].mean() > image[truth == 0].mean()


def test_histology_sample_needs_no_network():
    ((image, options, _),) = histology()
    assert options["rgb"]
    assert image.shape == (512, 512, 3)
    assert image.dtype == np.uint8


def test_viewer_process_loads_no_torch(tmp_path):
    code = (
        "import sys\n"
        "import napari_unet.gui.widget, napari_unet.gui.commands\n"
        "import napari_unet.gui.samples, napari_unet.gui.demo\n"
        "from napari_unet.gui.predict.config_form import ConfigForm\n"
        "from napari_unet.models import base_models\n"
        "base_models()\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_panel_imports_what_the_first_label_layer_needs():
    code = (
        f"{SHOW_THE_PANEL}"
        "import sys\n"
        "import numpy as np\n"
        "last = 'skimage.color.colorconv'\n"
        "while not hasattr(sys.modules.get(last), 'lab2rgb'):\n"
        "    QTest.qWait(20)\n"
        "before = set(sys.modules)\n"
        "from napari.layers import Labels\n"
        "Labels(np.array([[0]]))\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "assert not new & {'pandas', 'scipy', 'skimage'}, new\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("msec", [0, 20])
def test_python_may_end_while_the_panel_waits_for_the_engine(msec):
    code = f"{SHOW_THE_PANEL}QTest.qWait({msec})\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_demo_writes_a_screenshot(model, tmp_path):
    from imageio.v3 import imread

    shot = tmp_path / "shot.png"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "napari_unet.gui.demo"),
            *("--screenshot", str(shot), "--model", str(model)),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert " objects in " in ran.stdout
    picture = imread(shot)
    assert picture.shape[0] > 600
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 100
