"""The classes to label: which is painted, and how much of each there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_unet.errors import AnnotationError
from napari_unet.gui.annotate.class_removal import ClassRemoval
from napari_unet.gui.annotate.class_row import ClassRow
from napari_unet.gui.parts.forms import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_unet.annotation import ClassScheme
    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations


# Seconds to count labelled pixels without a pause.
_TURN = 0.004


class ClassPanel(QWidget):
    """The list of classes.

    Parameters
    ----------
    annotations : Annotations
        Whose classes they are.
    """

    def __init__(self, annotations: Annotations) -> None:
        super().__init__()
        self._annotations = annotations
        self._image: AnnotatedImage | None = None
        self.rows: list[ClassRow] = []
        self._tallies: Iterator[NDArray[np.int64]] = iter(())
        self._counts = np.zeros(256, np.int64)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._count)
        self.removal = ClassRemoval(annotations)
        self.add = QPushButton("Add class", toolTip="Add one more class to label")
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._list)
        column.addWidget(self.removal)
        column.addWidget(self.add)
        self.add.clicked.connect(self._add)
        follow(
            self,
            (annotations.scheme_changed, self._list_classes),
            (annotations.chosen_changed, self._show_chosen),
            (annotations.changed, self._show_counts),
        )
        self._list_classes()

    def show_image(self, image: AnnotatedImage | None) -> None:
        """Show the labelled pixels of this image."""
        self._image = image
        self._show_counts()

    def _list_classes(self) -> None:
        """Show each class in its row; the user may be typing in one of them."""
        self.removal.hide()
        classes = self._annotations.scheme.classes
        for row in self.rows[len(classes) :]:
            row.hide()
            row.deleteLater()
        del self.rows[len(classes) :]
        for index in range(len(self.rows), len(classes)):
            row = ClassRow(index, classes[index])
            row.chosen.connect(self._annotations.choose)
            row.renamed.connect(self._rename)
            row.recoloured.connect(self._recolour)
            row.removed.connect(self.removal.ask)
            self._list.addWidget(row)
            self.rows.append(row)
            # Tab would reach last what is made last.
            for field in (row.choose, row.colour, row.name, row.remove):
                QWidget.setTabOrder(self.add.previousInFocusChain(), field)
        for row, label in zip(self.rows, classes, strict=True):
            row.show_label(label)
        self._show_chosen()
        self._show_counts()

    def _show_chosen(self) -> None:
        for index, row in enumerate(self.rows):
            row.show_chosen(index == self._annotations.chosen)

    def _show_counts(self) -> None:
        """Count the labelled pixels, in turns that are too short to be felt."""
        image = self._image
        self._tallies = iter(()) if image is None else image.annotation.tallies()
        self._counts[:] = 0
        self._count()

    def _count(self) -> None:
        end = time.perf_counter() + _TURN
        for tally in self._tallies:
            self._counts += tally.sum(axis=1)
            if time.perf_counter() > end:
                self._timer.start(0)
                return
        for row, count in zip(self.rows, self._counts.tolist(), strict=False):
            row.show_count(count)

    def _add(self) -> None:
        scheme = self._annotations.scheme
        number = len(scheme)
        while f"class {number}" in scheme.names:
            number += 1
        if self._change(lambda: scheme.add(f"class {number}")):
            self._annotations.choose(len(scheme))
            name = self.rows[-1].name
            name.setFocus()
            name.selectAll()

    def _rename(self, index: int, name: str) -> None:
        if not self._change(lambda: self._annotations.scheme.rename(index, name)):
            self._list_classes()

    def _recolour(self, index: int, colour: str) -> None:
        self._change(lambda: self._annotations.scheme.recolour(index, colour))

    def _change(self, change: Callable[[], ClassScheme]) -> bool:
        from napari.utils.notifications import show_error

        try:
            self._annotations.set_scheme(change())
        except AnnotationError as error:
            show_error(str(error))
            return False
        return True
