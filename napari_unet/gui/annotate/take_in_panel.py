"""Labels that exist already: a layer, a label TIFF, another tool's mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_unet.gui.annotate.taking_in import Given, TakingIn
from napari_unet.gui.image.source import pixels_of
from napari_unet.gui.image.target import role_of
from napari_unet.gui.parts.forms import compact, follow, row
from napari_unet.gui.parts.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer

    from napari_unet.gui.annotate.annotated import AnnotatedImage
    from napari_unet.gui.annotate.annotations import Annotations

# Outlines and lines that this plugin draws.
_NO_LABELS = ("accepted", "drawing")


class TakeInPanel(Section):
    """Takes labels of another layer or of a file into the annotation of an image.

    What they are taken from stays as it is.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose layers they may be.
    annotations : Annotations
        What is labelled.
    label : callable
        Given a function, calls it with the annotation of the chosen image, once there
        is one.
    """

    def __init__(
        self,
        viewer: Viewer,
        annotations: Annotations,
        label: Callable[[Callable[[AnnotatedImage], None]], None],
    ) -> None:
        self._viewer = viewer
        self._label = label
        self._annotations = annotations
        self._taking_in = TakingIn(annotations)
        self._sources: list[Labels | Path] = []
        self._file: Path | None = None
        self.source = QComboBox(
            toolTip="A label layer of the same size, or a file of labels, TIFF or PNG"
        )
        compact(self.source)
        self.complete = QCheckBox(
            "Complete: 0 is background",
            toolTip="Tick if no pixel and no object is missing in them. Otherwise 0 "
            "means not labelled",
        )
        self.as_scribbles = QPushButton(
            "As scribbles",
            toolTip="Their values are classes: 1 is background and 2 the first class, "
            "as in the layer of scribbles. Where they are complete 0 is background and "
            "1 the first class",
        )
        self.as_objects = QPushButton(
            "As objects", toolTip="Each of their values is one object"
        )
        self._buttons = QWidget()
        line = QHBoxLayout(self._buttons)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.as_scribbles)
        line.addWidget(self.as_objects)
        super().__init__(
            "Labels from elsewhere",
            row("From", self.source),
            self.complete,
            self._buttons,
            tooltip="Take in labels of another layer, a file or another tool",
        )
        self._taking_in.ended.connect(self._end)
        self.source.activated.connect(self._ask_file)
        self.as_scribbles.clicked.connect(lambda: self._take(objects=False))
        self.as_objects.clicked.connect(lambda: self._take(objects=True))
        layers = viewer.layers.events
        follow(
            self,
            (layers.inserted, self._list_layers),
            (layers.removed, self._list_layers),
            (layers.renamed, self._list_layers),
            # A layer to draw on is an image's only after it is inserted.
            (viewer.layers.selection.events.active, self._list_layers),
            (annotations.images_changed, self._list_layers),
        )
        self._list_layers()

    def choose_file(self, path: Path) -> None:
        """Take labels from a file."""
        self._file = path
        self._list_layers()
        self.source.setCurrentIndex(self._sources.index(path))

    def _list_layers(self, event: Any = None) -> None:
        ours = {x for image in self._annotations.images for x in image.layers}
        sources: list[Labels | Path] = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels)
            and layer not in ours
            and role_of(layer) not in _NO_LABELS
        ]
        if self._file is not None:
            sources.append(self._file)
        names = [*(source.name for source in sources), "A file…"]
        before = [self.source.itemText(i) for i in range(self.source.count())]
        if (sources, names) == (self._sources, before):
            return
        chosen, self._sources = self._source(), sources
        self.source.clear()
        self.source.addItems(names)
        if chosen in self._sources:
            self.source.setCurrentIndex(self._sources.index(chosen))

    def _source(self) -> Labels | Path | None:
        """Return the chosen layer or file, or None for one to be asked for."""
        index = self.source.currentIndex()
        return self._sources[index] if 0 <= index < len(self._sources) else None

    def _ask_file(self) -> None:
        if self._source() is None:
            path, _ = QFileDialog.getOpenFileName(
                self, "A label image", "", "Label images (*.tif *.tiff *.png)"
            )
            if path:
                self.choose_file(Path(path))

    def _take(self, *, objects: bool) -> None:
        self._ask_file()
        source, complete = self._source(), self.complete.isChecked()
        if source is not None:
            self._label(lambda image: self._take_in(image, source, objects, complete))

    def _take_in(
        self,
        image: AnnotatedImage,
        source: Labels | Path,
        objects: bool,
        complete: bool,
    ) -> None:
        if isinstance(source, Path):
            labels: Any = source
        elif image.target.fits(source):
            labels = image.target.stack(source)
        else:
            labels = pixels_of(source)
        self._buttons.setEnabled(False)
        self._taking_in.start(image, Given(labels, objects, complete))

    def _end(self) -> None:
        self._buttons.setEnabled(True)
