"""The controls with mouse wheel and keyboard, and how they are called."""

from itertools import pairwise

import numpy as np
import pytest
from gui_wait import settled
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from napari_unet.gui.parts.section import Section


def test_every_control_has_a_tooltip(viewer, widget):
    controls = [
        w
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox)
        for w in widget.findChildren(kind)
        if not isinstance(w.parent(), QAbstractSpinBox | QScrollBar)
    ]
    assert len(controls) > 8

    def explained(w: QWidget | None) -> bool:
        return (
            w is not None
            and w is not widget
            and bool(w.toolTip() or explained(w.parentWidget()))
        )

    assert [w for w in controls if not explained(w)] == []


def test_the_wheel_scrolls_and_changes_nothing(viewer, widget, blobs):
    viewer.window.resize(1100, 600)
    viewer.add_image(np.stack([blobs] * 3), name="stack")
    viewer.add_image(np.stack([blobs] * 3), name="another")
    for section in widget.findChildren(Section):
        section.open()
    settled(widget.findChild(QScrollArea).verticalScrollBar().maximum)
    fields = [*widget.findChildren(QComboBox), *widget.findChildren(QAbstractSpinBox)]
    shown = [field for field in fields if field.isVisible()]
    assert len(shown) > 8

    def values():
        return [f.currentIndex() if hasattr(f, "count") else f.text() for f in shown]

    before = values()
    for field in shown:
        # As after a choice was made.
        field.setFocus()
        assert not turn_wheel(field), "the panel around it would not get it"
        assert values() == before
    scroll = widget.findChild(QScrollArea)
    turn_wheel(scroll.viewport())
    assert scroll.verticalScrollBar().value() > 0


def turn_wheel(w: QWidget) -> bool:
    """Turn the wheel a notch with the mouse over a widget; say if it took it."""
    at = w.rect().center()
    event = QWheelEvent(
        QPointF(at),
        QPointF(w.mapToGlobal(at)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(w, event)
    return event.isAccepted()


def test_every_field_has_a_name_that_is_read_aloud(viewer, widget):
    named = {label.buddy() for label in widget.findChildren(QLabel)}
    fields = [
        *widget.findChildren(QComboBox),
        *widget.findChildren(QLineEdit),
        *widget.findChildren(QAbstractButton),
    ]
    for field in fields:
        inner = isinstance(field.parent(), QAbstractSpinBox | QScrollBar)
        text = isinstance(field, QAbstractButton) and field.text()
        name = text or field.accessibleName() or field in named
        assert name or inner, field.toolTip()


def test_tab_goes_from_top_to_bottom(viewer, widget, blobs):
    viewer.add_image(blobs)
    widget.annotate_panel.classes.add.click()

    def in_order():
        first = at = widget.image_panel.images
        while (at := at.nextInFocusChain()) is not first:
            reached = at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisible()
            if reached and widget.isAncestorOf(at) and not isinstance(at, QScrollArea):
                yield at.mapTo(widget, at.rect().center()).y()

    heights = settled(lambda: [*in_order()])
    assert len(heights) > 15
    beside = 12
    assert all(b > a - beside for a, b in pairwise(heights)), heights


def test_it_is_seen_where_the_keyboard_is(viewer, widget):
    other, row = widget.annotate_panel.classes.rows
    window = widget.window()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    for control in (
        widget.image_panel.images,
        widget.findChild(Section).heading,
        widget.prediction_panel.controls.predict,
        widget.live_panel.train.preview,
        *(other.choose, row.colour, row.name, row.remove),
    ):
        window.setFocus()
        before, size = pixels(control), control.sizeHint()
        control.setFocus(Qt.FocusReason.TabFocusReason)
        assert control.sizeHint() == size, control
        assert settled(lambda w=control, b=before: np.abs(pixels(w) - b).max()) > 60


def pixels(w: QWidget) -> np.ndarray:
    """Return how a widget looks, (Y, X, RGB)."""
    image = w.grab().toImage()
    return np.array(
        [
            [image.pixelColor(x, y).getRgb()[:3] for x in range(image.width())]
            for y in range(image.height())
        ]
    )


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_a_class_is_named_without_losing_the_focus_to_another_field(
    viewer, widget, qtbot, key
):
    classes = widget.annotate_panel.classes
    classes.add.click()
    window = widget.window()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    first, second = classes.rows[1:]
    first.name.setFocus()
    first.name.selectAll()
    QTest.keyClicks(first.name, "nucleus")
    QTest.keyClick(first.name, key)
    assert widget.session.annotations.scheme.names[1:] == ("nucleus", "class 2")
    following = first.name if key == Qt.Key.Key_Return else first.remove
    assert QApplication.focusWidget() is following
    assert classes.rows[1:] == [first, second]


def test_escape_brings_the_name_of_a_class_back(viewer, widget):
    name = widget.annotate_panel.classes.rows[0].name
    window = widget.window()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    name.setFocus()
    QTest.keyClicks(name, "ward")
    QTest.keyClick(name, Qt.Key.Key_Escape)
    assert name.text() == "background"
    QTest.keyClick(name, Qt.Key.Key_Return)
    assert widget.session.annotations.scheme.names[0] == "background"
