"""What the panels' forms have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolTip,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# As wide as the longest name, so that the fields of all panels stand in one column.
_WIDEST_NAME = "Channel"


def compact(box: QComboBox) -> None:
    """Let a choice be narrower than its longest item; its tooltip tells the item."""
    box.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    box.setMinimumContentsLength(4)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.installEventFilter(_WholeText(box))


class _WholeText(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Add to the tooltip of a choice what may be cut off in it."""
        if event.type() != QEvent.Type.ToolTip:
            return False
        text = f"{watched.toolTip()}\n{watched.currentText()}".strip()
        QToolTip.showText(event.globalPos(), text, watched)
        return True


def hint(tooltip: str) -> QLabel:
    """Return a label for sentences: it breaks lines and its text can be selected."""
    label = QLabel(toolTip=tooltip)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # A long word, such as a path, must not widen the panel.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def follow_font(field: QWidget) -> None:
    """Write in a field as large as in napari's own, which leaves out line edits."""
    from napari.settings import get_settings

    appearance = get_settings().appearance

    def take(event: Any = None) -> None:
        font = field.font()
        font.setPointSize(appearance.font_size)
        field.setFont(font)

    follow(field, (appearance.events.font_size, take))
    take()


def share_of_screen(widget: QWidget) -> QSize:
    """Return how large a dock may be by itself: most of a laptop is the image's."""
    return widget.screen().availableSize() / 3


def row(name: str, *fields: QWidget) -> QWidget:
    """Return a named row of fields; the first one takes the space that is left.

    A hidden row leaves no gap, which a row of a form layout does before Qt 6.4.
    """
    line = QWidget()
    layout = QHBoxLayout(line)
    layout.setContentsMargins(0, 0, 0, 0)
    label = QLabel(name)
    # Measured in the size that it will have.
    follow_font(label)
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(_WIDEST_NAME) + 16)
    # What reads the screen aloud names the field by it.
    label.setBuddy(fields[0])
    layout.addWidget(label)
    for i, field in enumerate(fields):
        layout.addWidget(field, int(i == 0))
    return line


def follow(widget: QWidget, *connections: tuple[Any, Callable[..., Any]]) -> None:
    """Connect signals or events to methods of a widget for as long as it lives."""
    for signal, slot in connections:
        signal.connect(slot)
    widget.destroyed.connect(
        lambda: [signal.disconnect(slot) for signal, slot in connections]
    )


def offer(box: QComboBox, choices: Sequence[tuple[str, object]], chosen: int) -> None:
    """Let the user choose between texts, each with its data; nothing is told of it."""
    box.blockSignals(True)
    box.clear()
    for text, data in choices:
        box.addItem(text, data)
    box.setCurrentIndex(chosen)
    box.blockSignals(False)
