"""Shift+1 to Shift+9 choose the class that is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_unet.gui.parts.forms import follow

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.annotate.annotations import Annotations


class ClassKeys(QObject):
    """Shortcuts that exist while one of the user's layers is active.

    napari's own key bindings cannot tell Shift+1 from 1 or from the character that
    the keyboard's layout makes of it; Qt's shortcuts can.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    annotations : Annotations
        Whose class is chosen.
    panel : QWidget
        In whose window the keys are.
    """

    def __init__(
        self, viewer: Viewer, annotations: Annotations, panel: QWidget
    ) -> None:
        super().__init__(panel)
        self._viewer = viewer
        self._annotations = annotations
        self._panel = panel
        self._shortcuts: list[QShortcut] = []
        follow(
            panel,
            (viewer.layers.selection.events.active, self._follow),
            (annotations.images_changed, self._follow),
        )

    def install(self, window: QWidget) -> None:
        """Make the shortcuts of a window."""
        for index in range(9):
            shortcut = QShortcut(QKeySequence(f"Shift+{index + 1}"), window)
            shortcut.activated.connect(lambda index=index: self._choose(index))
            self._shortcuts.append(shortcut)
            self._panel.destroyed.connect(shortcut.deleteLater)
        self._follow()

    def _choose(self, index: int) -> None:
        if index < len(self._annotations.scheme):
            self._annotations.choose(index)

    def _follow(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        ours = any(active in image.layers for image in self._annotations.images)
        for shortcut in self._shortcuts:
            shortcut.setEnabled(ours)
