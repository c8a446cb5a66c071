"""Whatever the font, the theme and the names: nothing is cut off or unseen."""

import numpy as np
import pytest
from gui_tooltip import tooltip_of
from gui_wait import settled
from pyqtgraph import mkPen
from qtpy.QtCore import QPoint
from qtpy.QtGui import QColor, QFontMetrics
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollArea,
)

from napari_unet.annotation import ClassScheme
from napari_unet.gui.explore.explorer import ModelExplorer
from napari_unet.gui.parts.section import Section
from napari_unet.gui.parts.swatch import swatch
from napari_unet.gui.train.curves import Curves
from napari_unet.gui.train.plot import TrainingPlot
from napari_unet.gui.widget import UnetWidget
from napari_unet.training import Stepped, Validated


def test_fits_into_300_pixels(viewer, widget, blobs):
    viewer.add_image(blobs, name="an image with quite a long name " * 3)
    widget.prediction_panel.models.show_device("Runs on " + "a/very/long/path" * 8)
    widget.prediction_panel.controls.show_idle("x" * 200)
    classes = ClassScheme.named("a class with quite a long name " * 3, "x" * 200)
    widget.prediction_panel.legend.show_classes(classes)
    widget.session.annotations.set_scheme(classes)
    content = widget.findChild(QScrollArea).widget()
    assert settled(lambda: content.minimumSizeHint().width()) <= 300


def test_nothing_is_cut_off_in_a_large_font(viewer, widget, qtbot):
    from napari.settings import get_settings

    viewer.window.resize(1100, 800)
    for section in widget.findChildren(Section):
        section.open()
    scroll = widget.findChild(QScrollArea)
    width = widget.width()
    get_settings().appearance.font_size = 18
    qtbot.wait_until(lambda: widget.width() > width)
    needed = scroll.widget().minimumSizeHint().width()
    qtbot.wait_until(lambda: scroll.viewport().width() >= needed)
    # napari's style sheet leaves out line edits, and choices may be elided.
    for line in widget.findChildren(QLineEdit):
        assert line.font().pointSize() == 18, line.text()
    form = widget.prediction_panel.controls.form
    for choice in form.findChildren(QComboBox):
        assert choice.width() >= choice.sizeHint().width(), choice.currentText()


def test_a_large_font_of_the_system_does_not_widen_it(viewer, widget):
    before = settled(widget.findChild(QScrollArea).sizeHint().width)
    usual, large = QApplication.font(), QApplication.font()
    large.setPointSize(2 * usual.pointSize())
    QApplication.setFont(large)
    try:
        again = UnetWidget(viewer)
        viewer.window.add_dock_widget(again, name="again")
        # napari writes in the size of its own settings.
        column = again.findChild(QScrollArea)
        assert settled(lambda: column.sizeHint().width()) < 1.3 * before
    finally:
        QApplication.setFont(usual)


def test_unfolding_moves_nothing_beside_it(viewer, widget):
    viewer.window.resize(1100, 800)
    width = settled(widget.width)
    for section in widget.findChildren(Section):
        section.open()
    assert settled(widget.width) == width


def test_the_model_explorer_leaves_it_some_height(viewer, widget):
    viewer.window.resize(1100, 720)
    viewer.window.add_dock_widget(ModelExplorer(viewer), name="Model explorer")
    assert settled(widget.height) > 10 * widget.fontMetrics().lineSpacing()


def test_a_long_name_of_a_class_is_read_from_its_beginning(viewer, widget):
    long = "oligodendrocytes and their precursors, of the corpus callosum"
    annotations = widget.session.annotations
    annotations.set_scheme(annotations.scheme.add(long))
    name = widget.annotate_panel.classes.rows[-1].name
    wide = settled(name.width)
    assert name.fontMetrics().horizontalAdvance(long) > wide
    assert name.cursorPositionAt(QPoint(0, name.height() // 2)) == 0
    assert long in name.toolTip()


def test_a_name_keeps_its_width_while_its_class_is_painted(viewer, widget):
    row = widget.annotate_panel.classes.rows[0]
    wide = settled(row.name.width)
    row.show_count(12345)
    assert settled(row.name.width) == wide


def test_a_long_name_of_an_image_is_told(viewer, widget, blobs):
    for channel in ("red", "green"):
        name = f"{'an image with quite a long name ' * 3} {channel}"
        viewer.add_image(blobs, name=name)
    told = tooltip_of(widget.image_panel.images)
    assert "The image to segment" in told
    assert told.endswith("green")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colours_of_classes_are_seen_in_any_theme(qapp, theme):
    from napari.utils.theme import get_theme

    behind = QColor(get_theme(theme).background.as_hex())
    for colour in (behind.name(), "#000000", "#ffffff"):
        image = swatch(colour).toImage()
        sides = range(image.width())
        seen = {image.pixelColor(x, y).name() for x in sides for y in sides}
        # As WCAG asks of what is no text.
        assert max(contrast(QColor(c), behind) for c in seen) >= 3


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curves_are_seen_and_have_the_colours_of_their_axes(viewer, qtbot, theme, plot):
    viewer.theme = theme
    image = plot.grab().toImage()
    behind = image.pixelColor(1, 1)
    assert contrast(behind, QColor("#ffffff" if theme == "dark" else "#000000")) > 10
    left, right = (plot._left.getAxis(side).textPen() for side in ("left", "right"))
    assert left.color() != right.color()
    for curve, axis in ((plot._loss_curve, left), (plot._dice_curve, right)):
        assert mkPen(curve.opts["pen"]).color() == axis.color()
        # As WCAG asks of text.
        assert contrast(axis.color(), behind) >= 4.5


def test_the_numbers_of_the_plot_are_as_large_as_other_text(viewer, qtbot, plot):
    from napari.settings import get_settings

    get_settings().appearance.font_size = 18
    for side in ("left", "right", "bottom"):
        axis = plot._left.getAxis(side)
        assert axis.style["tickFont"].pointSize() == 18
    axis = plot._left.getAxis("bottom")
    needed = QFontMetrics(axis.style["tickFont"]).height()
    assert settled(axis.height) >= needed


@pytest.fixture
def plot(viewer, qtbot) -> TrainingPlot:
    """The plot of a training of two steps."""
    curves = Curves()
    for step in (1, 2):
        curves.take(Stepped(step, 1 / step, 1.0, 9))
        curves.take(Validated(step, (0.5,), 0.5, "flat"))
    plot = TrainingPlot(viewer, curves)
    qtbot.addWidget(plot)
    plot.resize(300, plot.height())
    with qtbot.wait_exposed(plot):
        plot.show()
    return plot


def contrast(a: QColor, b: QColor) -> float:
    """Return the contrast of two colours as WCAG defines it, 1 to 21."""

    def luminance(colour: QColor) -> float:
        light = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in colour.getRgbF()[:3]
        ]
        return float(np.dot(light, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
