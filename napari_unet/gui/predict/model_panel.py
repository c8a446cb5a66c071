"""Which model, what it is good for, and where it will run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_unet.errors import ModelError, UnetError
from napari_unet.gui.parts.forms import compact, hint, row
from napari_unet.gui.parts.notices import user_errors
from napari_unet.gui.predict.recent import recent_models, remember_model, title_of

if TYPE_CHECKING:
    from napari_unet.models import ModelSpec


class ModelPanel(QWidget):
    """The choice of a model: one that ships, one used lately, or any folder.

    Attributes
    ----------
    model_changed : Signal
        Another model was chosen.
    """

    model_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        from napari_unet.models import base_models

        self.models = QComboBox(
            toolTip="The trained model: one that ships, or a folder used lately"
        )
        compact(self.models)
        self.browse = QPushButton(
            "Browse…", toolTip="Choose the folder of a model (it holds a model.json)"
        )
        self.about = hint("What the chosen model is good for")
        self.device = hint("The processor or graphics card that will do the work")

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row("Model", self.models, self.browse))
        column.addWidget(self.about)
        column.addWidget(self.device)

        for name in base_models():
            self.models.addItem(name, name)
        for folder in recent_models():
            self._add_folder(folder)
        self.models.currentIndexChanged.connect(self._describe)
        self.browse.clicked.connect(self._browse)
        self._describe()

    @property
    def model(self) -> str:
        """The chosen base model's name or folder.

        Raises
        ------
        ModelError
            If none is chosen.
        """
        if self.models.currentIndex() < 0:
            raise ModelError(
                "No model is chosen. Press Browse… and choose the folder of a model."
            )
        return str(self.models.currentData())

    def spec(self) -> ModelSpec:
        """Return the description of the chosen model.

        Raises
        ------
        ModelError
            If none is chosen or its folder is gone or damaged.
        """
        from napari_unet.models import read_spec

        return read_spec(self.model)

    def choose_folder(self, folder: Path | str) -> None:
        """Choose the model in `folder` and remember it.

        Raises
        ------
        ModelError
            If there is no model in it.
        """
        from napari_unet.models import read_spec

        folder = Path(folder).expanduser().absolute()
        read_spec(folder)
        remember_model(folder)
        if self.models.findData(str(folder)) < 0:
            self._add_folder(folder)
        self.models.setCurrentIndex(self.models.findData(str(folder)))

    def show_device(self, text: str) -> None:
        """Show where predictions run."""
        self.device.setText(text)

    def _add_folder(self, folder: Path) -> None:
        self.models.addItem(title_of(folder), str(folder))
        last = self.models.count() - 1
        self.models.setItemData(last, str(folder), Qt.ItemDataRole.ToolTipRole)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "The folder of a model")
        if folder:
            with user_errors():
                self.choose_folder(folder)

    def _describe(self) -> None:
        try:
            spec = self.spec()
        except UnetError as error:
            self.about.setText(str(error))
        else:
            classes = ", ".join(spec.classes.names[1:])
            self.about.setText(spec.description or f"Finds {classes}.")
        self.model_changed.emit()
