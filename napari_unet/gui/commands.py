"""Commands for the menu and the command palette."""

from __future__ import annotations


def predict() -> None:
    """Segment the chosen image of the current viewer; open the panel if need be."""
    from napari import current_viewer

    from napari_unet.gui.session import session_of

    viewer = current_viewer()
    if viewer is None:
        return
    widget = session_of(viewer).widget
    if widget is None:
        _, widget = viewer.window.add_plugin_dock_widget("napari-unet-annotator")
    widget.prediction_panel.start()
