"""``python -m napari_unet.gui.demo``: a sample, the panel, a prediction."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_unet.gui.samples import nuclei
from napari_unet.gui.widget import UnetWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.viewer import Viewer


def open_demo(
    model: str | None = None, then: Callable[[str], None] | None = None
) -> Viewer:
    """Open napari with the sample image and the docked panel, and press Predict.

    Parameters
    ----------
    model : str, optional
        The folder of a model; by default the first one that ships.
    then : callable, optional
        Called with the panel's line on what was found when the layers are on screen.
    """
    import napari
    from napari.layers import Layer
    from qtpy.QtCore import QTimer

    viewer = napari.Viewer(title="napari U-Net")
    viewer.window.resize(1400, 860)
    for data in nuclei():
        viewer.add_layer(Layer.create(*data))
    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget, name="U-Net")
    if model is not None:
        widget.prediction_panel.models.choose_folder(model)
    if then is not None:
        widget.prediction_panel.ended.connect(then)
    widget.prediction_panel.start()
    # Into the room that the docks leave, once they are laid out.
    QTimer.singleShot(0, viewer.reset_view)
    return viewer


def main(argv: Sequence[str] | None = None) -> int:
    """Open the demo; with ``--screenshot`` write what it shows and end.

    Returns
    -------
    int
        0, or 1 where the prediction has failed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshot", type=Path, help="write a PNG and exit")
    parser.add_argument("--model", help="the folder of a model")
    options = parser.parse_args(argv)

    import napari
    from qtpy.QtCore import QTimer

    failed = False

    def show_found(text: str) -> None:
        nonlocal failed
        failed = "nuclei semantic" not in viewer.layers
        print(text)
        if options.screenshot is not None:
            # The window gets time to settle before it is looked at.
            QTimer.singleShot(1000, write_screenshot)

    def write_screenshot() -> None:
        viewer.screenshot(str(options.screenshot), canvas_only=False, flash=False)
        print(f"Wrote {options.screenshot}")
        viewer.close()

    viewer = open_demo(options.model, show_found)
    napari.run()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
