"""The settings of a prediction as a form, made by magicgui from the dataclass."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

from magicgui.widgets import create_widget
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_unet.gui.parts.forms import follow_font

if TYPE_CHECKING:
    from napari_unet.inference import PredictConfig

# How each setting is shown; its type and default stand in `PredictConfig` alone.
_SHOWN: dict[str, dict[str, Any]] = {
    "diameter": {
        "label": "Cell diameter",
        "tooltip": "In pixels, where cells are much larger or smaller than those the "
        "model was trained on; auto estimates it. Empty: the image is taken as it is",
        "widget_type": "LineEdit",
    },
    "min_size": {
        "label": "Smallest object",
        "tooltip": "Objects with fewer pixels than this are left out",
        "min": 0,
        "max": 1_000_000,
    },
    "fill_holes": {
        "label": "Fill holes",
        "tooltip": "Holes inside an object become part of it",
    },
    "flips": {
        "label": "Four views",
        "tooltip": "The mean of what the net says of the image and of its mirror "
        "images: four times slower",
    },
    "instances": {
        "label": "Objects",
        "tooltip": "How objects are told apart: cells that touch come apart where the "
        "model has learnt boundaries; connected areas stay together",
        "choices": [
            ("Touching cells apart", "watershed"),
            ("Connected areas", "components"),
            ("Classes only", "none"),
        ],
    },
    "device": {
        "label": "Run on",
        "tooltip": "Automatic takes a graphics card where there is one that works",
        "choices": [
            ("Automatic", "auto"),
            ("NVIDIA graphics", "cuda"),
            ("Apple graphics", "mps"),
            ("Processor", "cpu"),
        ],
    },
    "tile": {
        "label": "Tile size",
        "tooltip": "Pixels a side; smaller ones need less memory. The result is the "
        "same",
        "nullable": False,
        "choices": [
            ("Automatic", None),
            *((f"{side} pixels", side) for side in (256, 512, 1024, 2048)),
        ],
    },
}


class ConfigForm(QWidget):
    """A row for each setting of a `PredictConfig` that is not chosen elsewhere.

    Attributes
    ----------
    changed : Signal
        A setting is another one now.
    device_changed : Signal
        Another device was chosen; with it its name.
    measure_clicked : Signal
        The user wants to drag a line across a cell, or no longer so.
    """

    changed = Signal()
    device_changed = Signal(str)
    measure_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        from napari_unet.inference import PredictConfig

        types = get_type_hints(PredictConfig)
        defaults = {field.name: field.default for field in fields(PredictConfig)}
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        # With a large font a choice has its line alone, and is read to its end.
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._inputs: dict[str, Any] = {}
        for name, shown in _SHOWN.items():
            options = dict(shown)
            label = options.pop("label")
            text = options.get("widget_type") == "LineEdit"
            self._inputs[name] = create_widget(
                "" if text else defaults[name],
                str if text else types[name],
                label=label,
                options=options,
            )
            self._inputs[name].changed.connect(lambda _: self.changed.emit())
            field: QWidget = self._inputs[name].native
            if name == "diameter":
                follow_font(field)
                field.setAccessibleName(label)
                field = self._beside_measure(field)
            # A check box carries its label itself.
            rows.addRow("" if types[name] is bool else label, field)
        self._inputs["device"].changed.connect(self.device_changed.emit)

    def config(self, channels: tuple[int, ...] = ()) -> PredictConfig:
        """Return the settings, with these channels of the image.

        Raises
        ------
        UnetError
            If a setting is out of its range.
        """
        from napari_unet.inference import PredictConfig
        from napari_unet.inference.config import parse_diameter

        values = {name: shown.value for name, shown in self._inputs.items()}
        values["diameter"] = parse_diameter(values["diameter"])
        return PredictConfig(channels=channels, **values)

    def set(self, name: str, value: Any) -> None:
        """Change a setting."""
        self._inputs[name].value = value

    def _beside_measure(self, field: QWidget) -> QWidget:
        """Put a field and the button that fills it beside each other."""
        both = QWidget()
        layout = QHBoxLayout(both)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(field, 1)
        self.measure = QPushButton(
            "Measure",
            checkable=True,
            toolTip="Drag a line across a typical cell; press again to give it up",
        )
        self.measure.clicked.connect(self.measure_clicked)
        layout.addWidget(self.measure)
        return both
