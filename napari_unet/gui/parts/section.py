"""A part of the panel that can be folded away."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

# A button, because napari sizes its text as that of labels, and it keeps napari's
# colour under the mouse.
_STYLE = """
QPushButton {
    text-align: left; font-weight: bold; padding: 2px 4px; border: none;
}
QPushButton:!hover { background: transparent; }
QPushButton:focus { outline: 1px solid palette(highlight); }
"""


class Section(QWidget):
    """A heading, and widgets under it that it shows or hides.

    It is as high as what it shows, also when that grows, and moves at once.

    Parameters
    ----------
    title : str
        The heading.
    widgets : QWidget
        What is under it.
    tooltip : str
        What it is for.
    folded : bool
        Whether only the heading is shown at first.

    Attributes
    ----------
    toggled : Signal
        Whether it is open now.
    """

    toggled = Signal(bool)

    def __init__(
        self, title: str, *widgets: QWidget, tooltip: str, folded: bool = True
    ) -> None:
        super().__init__()
        self._title = title
        self.heading = QPushButton(
            title, toolTip=tooltip, checkable=True, styleSheet=_STYLE
        )
        self._content = QWidget()
        inside = QVBoxLayout(self._content)
        inside.setContentsMargins(4, 0, 0, 4)
        for widget in widgets:
            inside.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.heading)
        column.addWidget(self._content)
        self.heading.toggled.connect(self._show)
        self._show(False)
        self.heading.setChecked(not folded)

    def open(self) -> None:
        """Show what is under the heading."""
        self.heading.setChecked(True)

    def _show(self, opened: bool) -> None:
        self.heading.setText(f"{'▾' if opened else '▸'} {self._title}")
        self._content.setVisible(opened)
        self.toggled.emit(opened)
