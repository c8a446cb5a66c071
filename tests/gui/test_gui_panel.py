from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
import tifffile
from gui_threshold import saved_threshold_model
from gui_wait import settled
from pyqtgraph import mkPen
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QFontMetrics, QHelpEvent, QWheelEvent
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
    QToolTip,
    QWidget,
)

from napari_unet.annotation import ClassScheme
from napari_unet.gui.checkpoint_panel import CheckpointPanel
from napari_unet.gui.column import Column
from napari_unet.gui.curves import Curves
from napari_unet.gui.explorer import ModelExplorer
from napari_unet.gui.plot import TrainingPlot
from napari_unet.gui.recent import recent_models, remember_model
from napari_unet.gui.section import Section
from napari_unet.gui.swatch import swatch
from napari_unet.gui.widget import UnetWidget
from napari_unet.training import Checkpointed, Stepped, Validated


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


def test_a_long_name_of_an_image_is_told(viewer, widget, blobs):
    for channel in ("red", "green"):
        name = f"{'an image with quite a long name ' * 3} {channel}"
        viewer.add_image(blobs, name=name)
    told = tooltip_of(widget.image_panel.images)
    assert "The image to segment" in told
    assert told.endswith("green")


def tooltip_of(w: QWidget) -> str:
    """Rest the mouse on a widget, and return what is told."""
    at = w.rect().center()
    QApplication.sendEvent(w, QHelpEvent(QEvent.Type.ToolTip, at, w.mapToGlobal(at)))
    return QToolTip.text()


def test_image_choice_follows_the_layers(viewer, widget, blobs):
    box = widget.image_panel.images
    first = viewer.add_image(blobs, name="first")
    second = viewer.add_image(blobs, name="second")
    viewer.add_labels(np.zeros((60, 80), int))
    assert [box.itemText(i) for i in range(box.count())] == ["first", "second"]
    assert widget.image_panel.layer is second

    viewer.layers.selection.active = first
    assert widget.image_panel.layer is first
    first.name = "renamed"
    assert box.currentText() == "renamed"
    viewer.layers.remove(first)
    assert widget.image_panel.layer is second


def test_channels_and_slices_are_offered_where_there_are_any(viewer, widget, blobs):
    panel = widget.image_panel
    viewer.add_image(blobs, name="plain")
    assert not panel.channels.isVisible()
    assert not panel.slices.isVisible()

    viewer.add_image(np.zeros((20, 30, 4), np.uint8), rgb=True, name="colour")
    assert [panel.channels.itemText(i) for i in range(4)] == [
        "All colours",
        "Red",
        "Green",
        "Blue",
    ]
    assert panel.channel is None

    viewer.add_image(np.zeros((3, 20, 30)), axis_labels=("c", "y", "x"))
    assert panel.channel == 0

    viewer.add_image(np.zeros((5, 7, 20, 30)), axis_labels=("t", "z", "y", "x"))
    assert not panel.channels.isVisible()
    assert panel.slices.isVisible()
    assert panel.slices.itemText(1) == "All 35 slices"
    assert not panel.note.isVisible()


def test_each_image_keeps_its_channel(viewer, widget):
    panel, subjects = widget.image_panel, widget.session.live.subjects
    images = []
    for name in "ab":
        images.append(viewer.add_image(np.zeros((2, 20, 30)), name=name))
        viewer.layers.selection.active = images[-1]
        viewer.dims.axis_labels = ("c", "y", "x")
    viewer.layers.selection.active = images[0]
    viewer.dims.set_current_step(0, 0)
    panel.channels.setCurrentIndex(1)
    for image, channel in ((images[1], 0), (images[0], 1)):
        viewer.layers.selection.active = image
        assert panel.layer is image
        assert panel.channel == channel
        target = widget.image_panel.target()
        assert subjects.of(target).channels == (channel,)
    panel.channels.setCurrentIndex(2)
    assert panel.channel is None


def test_the_channel_on_screen_is_seen_until_another_is_chosen(viewer, widget):
    panel, subjects = widget.image_panel, widget.session.live.subjects
    for name in ("many", "others"):
        viewer.add_image(np.zeros((4, 20, 30)), axis_labels="cyx", name=name)
    shown = viewer.dims.current_step[0]
    assert shown, "napari opens a stack in the middle"
    for channel in (shown, 3, 0, 2):
        viewer.dims.set_current_step(0, channel)
        assert panel.channel == channel
        assert subjects.of(panel.target()).channels == (channel,)
    panel.channels.setCurrentText("Channel 1")
    viewer.dims.set_current_step(0, 3)
    assert panel.channel == 1
    viewer.layers.selection.active = viewer.layers["many"]
    assert panel.channel == 3


def test_guessed_axes_are_said_and_can_be_named(viewer, widget):
    panel = widget.image_panel
    viewer.add_image(np.zeros((3, 20, 30)))
    assert "taken as" in panel.note.text()
    assert panel.channels.count() == 4

    # napari keeps names of the images before.
    viewer.dims.axis_labels = (viewer.dims.axis_labels[0], "y", "x")
    assert "taken as" in panel.note.text()
    viewer.dims.axis_labels = ("z", *viewer.dims.axis_labels[1:])
    assert panel.note.text() == ""
    assert panel.slices.itemText(1) == "All 3 slices"


def test_slice_on_screen(viewer, widget):
    viewer.add_image(np.zeros((5, 7, 20, 30)), scale=(2, 3, 1, 1))
    viewer.dims.set_current_step(0, 4)
    viewer.dims.set_current_step(1, 2)
    image = widget.image_panel.target().image
    assert [tuple(p.values()) for p in widget.image_panel.planes(image)] == [(4, 2)]


def test_model_folders_are_remembered(viewer, widget, tmp_path, qtbot):
    folder = saved_threshold_model(tmp_path / "mine")
    widget.prediction_panel.models.choose_folder(folder)
    assert recent_models()[0] == folder
    assert (
        widget.prediction_panel.models.about.text() == "Bright blobs on a dark ground."
    )
    models = widget.prediction_panel.models.models
    assert "mine" in tooltip_of(models)

    again = UnetWidget(viewer)
    qtbot.addWidget(again)
    assert again.prediction_panel.models.models.findData(str(folder)) >= 0


def test_what_a_click_on_a_checkpoint_shows_is_scrolled_to(qtbot):
    panel = CheckpointPanel()
    column = Column(panel)
    qtbot.addWidget(column)
    column.resize(300, 150)
    with qtbot.wait_exposed(column):
        column.show()
    panel.add(Checkpointed(20, "step-20", 0.9, best=True, saved=0.0))
    assert panel.back.visibleRegion().isEmpty()
    first = panel.list.visualItemRect(panel.list.item(0)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    panel.say_where()
    assert not panel.back.visibleRegion().isEmpty()
    assert panel.where.visibleRegion().boundingRect() == panel.where.rect()


def test_a_checkpoint_is_chosen_with_the_keyboard(qtbot):
    panel = CheckpointPanel()
    qtbot.addWidget(panel)
    for step in (10, 20, 30):
        panel.add(Checkpointed(step, f"step-{step}", None, False, 0.0))
    chosen, back = [], []
    panel.chosen.connect(chosen.append)
    panel.rolled_back.connect(back.append)
    newest = panel.list.visualItemRect(panel.list.item(0)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=newest)
    panel.say_where()
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    # What is seen on the canvas is still the newest.
    assert chosen == ["step-30"]
    assert not panel.back.isEnabled()
    assert "shows it" not in panel.where.text()
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert chosen == ["step-30", "step-20"]
    panel.back.click()
    assert back == ["step-20"]
    panel.show_all([])
    assert not panel.back.isEnabled()


def test_a_checkpoint_says_when_it_was_kept(qtbot):
    panel = CheckpointPanel()
    qtbot.addWidget(panel)
    saved = datetime(2020, 2, 1, 13, 14, 15)
    panel.show_all([Checkpointed(20, "step-20", 0.9, True, saved.timestamp())])
    assert "13:14:15" in panel.list.item(0).text()


def test_trainings_that_left_nothing_take_no_place_among_the_recent(tmp_path):
    model = saved_threshold_model(tmp_path / "mine")
    remember_model(model)
    best = saved_threshold_model(tmp_path / "training" / "step-000005")
    for _ in range(2):
        remember_model(best.parent)
        assert recent_models()[:2] == [best, model]
        remember_model(best)
    for i in range(9):
        remember_model(tmp_path / f"failed-{i}")
    assert recent_models()[:2] == [best, model]


def test_recent_models_survive_a_damaged_list(viewer, widget, tmp_path):
    from napari_unet.gui import recent

    recent._file().parent.mkdir(parents=True, exist_ok=True)
    recent._file().write_text("{not json")
    assert recent_models() == []
    widget.prediction_panel.models.choose_folder(
        saved_threshold_model(tmp_path / "mine")
    )
    assert recent_models() == [tmp_path / "mine"]


def test_device_is_shown(widget, qtbot):
    qtbot.wait_until(
        lambda: widget.prediction_panel.models.device.text().startswith("Runs on")
    )


def test_reopened_panel_finds_the_results(viewer, widget, predict, blobs, qtbot, model):
    viewer.add_image(blobs, name="field")
    predict()
    layers = list(viewer.layers)
    for result in layers[1:]:
        result.data[...] = 0
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    again = UnetWidget(viewer)
    viewer.window.add_dock_widget(again, name="U-Net")
    again.prediction_panel.models.choose_folder(model)
    with qtbot.wait_signal(again.prediction_panel.ended):
        again.prediction_panel.controls.predict.click()
    assert list(viewer.layers) == layers
    assert all(result.data.any() for result in layers[1:])


def test_reopened_panel_goes_on_correcting(
    viewer, widget, annotations, predict, blobs, qtbot
):
    viewer.add_image(blobs, name="cells")
    predict()
    with qtbot.wait_signal(widget.objects_panel._correction.shown):
        widget.objects_panel.correct.click()
    assert widget.objects_panel.buttons["merge"].isEnabled()
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    again = UnetWidget(viewer)
    viewer.window.add_dock_widget(again, name="U-Net")
    assert again.objects_panel.buttons["merge"].isEnabled()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["ImageJ", "OME", "OME-Zarr"])
def test_axes_that_a_file_names_are_not_guessed(viewer, widget, tmp_path, kind):
    data = np.random.default_rng(0).integers(0, 99, (2, 2, 3, 40, 30)).astype(np.uint16)
    path = tmp_path / ("film.zarr" if kind == "OME-Zarr" else "film.tif")
    if kind == "OME-Zarr":
        from ome_zarr.writer import write_image

        write_image(data, str(path), axes="tczyx", scale_factors=())
    elif kind == "OME":
        tifffile.imwrite(path, data, ome=True, metadata={"axes": "TCZYX"})
    else:
        of_imagej = data.swapaxes(1, 2)
        tifffile.imwrite(path, of_imagej, imagej=True, metadata={"axes": "TZCYX"})
    image = viewer.open(path, plugin="napari")[0]
    shown = widget.session.target(image).image
    assert shown.sizes == {"T": 2, "C": 2, "Z": 3, "Y": 40, "X": 30}
    assert not widget.image_panel.note.isVisible()
    assert widget.image_panel.channels.count() == 3
    # What the user calls them goes first.
    viewer.dims.axis_labels = ("z", "t", "c", "y", "x")
    assert widget.session.target(image).image.axes == "ZTCYX"
