"""Loss and validation Dice over the steps of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_unet.gui.parts.forms import follow, follow_font

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_unet.gui.train.curves import Curves

# Of the loss and the Dice, told apart by colour-blind eyes too.
_ON_DARK, _ON_LIGHT = ("#e69f00", "#56b4e9"), ("#a84b00", "#005a8c")
_LINES = 10
_AXES = ("left", "right", "bottom")


class TrainingPlot(QWidget):
    """Two curves: the loss, on the left axis, and the Dice, on the right one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose theme it follows.
    curves : Curves
        What it draws.
    """

    def __init__(self, viewer: Viewer, curves: Curves) -> None:
        super().__init__()
        import pyqtgraph

        self.setToolTip(
            "Orange: the loss, what training makes smaller; while few pixels are "
            "labelled, not below a certain level. Blue: the Dice on labels that "
            "training never sees, at best 1. From left to right: the steps of training."
        )
        self._viewer = viewer
        self._curves = curves
        self._plot = pyqtgraph.PlotWidget()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._left = self._plot.getPlotItem()
        # It is never shown, and must go with the plot.
        self._left.ctrlMenu.setParent(self)
        self._right = pyqtgraph.ViewBox(enableMouse=False, enableMenu=False)
        self._left.scene().addItem(self._right)
        self._left.getAxis("right").linkToView(self._right)
        self._left.showAxis("right")
        self._left.setLabels(left="loss", right="Dice")
        # Small losses are not to be written in thousandths.
        self._left.getAxis("left").enableAutoSIPrefix(False)
        self._left.setLimits(xMin=0, yMin=0)
        self._right.setXLink(self._left)
        self._right.setYRange(0, 1, padding=0)
        self._left.getViewBox().sigResized.connect(self._align)
        self._loss_curve = self._left.plot()
        self._dice_curve = pyqtgraph.PlotDataItem(
            symbol="o", symbolSize=4, symbolPen=None
        )
        self._right.addItem(self._dice_curve)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        # It would like to be wider than the panel.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        follow(self, (viewer.events.theme, self._colour))
        self._colour()
        self.draw()
        follow_font(self)
        self._fit_font()

    def draw(self) -> None:
        """Draw the curves as they are now."""
        for curve, points in (
            (self._loss_curve, self._curves.losses),
            (self._dice_curve, self._curves.scores),
        ):
            curve.setData([step for step, _ in points], [value for _, value in points])

    def _align(self) -> None:
        self._right.setGeometry(self._left.getViewBox().sceneBoundingRect())

    def changeEvent(self, event: QEvent) -> None:
        """Write as large as the rest of the panel."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_font()

    def _fit_font(self) -> None:
        line = self.fontMetrics().lineSpacing()
        self.setFixedHeight(_LINES * line)
        for name in _AXES:
            axis = self._left.getAxis(name)
            axis.setTickFont(self.font())
            axis.label.setFont(self.font())
        # By itself it does not grow with the numbers.
        self._left.getAxis("bottom").setHeight(line + 4)
        # Half of the highest number is above the axes.
        self._left.layout.setContentsMargins(0, line // 2, 0, 0)

    def _colour(self, event: Any = None) -> None:
        import pyqtgraph
        from napari.utils.theme import get_theme

        theme = get_theme(self._viewer.theme)
        text = theme.text.as_hex()
        background = QColor(theme.background.as_hex())
        loss, dice = _ON_DARK if background.lightness() < 128 else _ON_LIGHT
        self._plot.setBackground(background)
        for name, colour in zip(_AXES, (loss, dice, text), strict=True):
            axis = self._left.getAxis(name)
            axis.setPen(text)
            axis.setTextPen(colour)
        self._loss_curve.setPen(loss)
        self._dice_curve.setPen(pyqtgraph.mkPen(dice, width=2))
        self._dice_curve.setSymbolBrush(dice)
