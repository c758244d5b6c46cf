"""The curves of a training, loss and score, in the viewer's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

if TYPE_CHECKING:
    from napari_dgc.clustering.step import Step

_HEIGHT = 84  # pixels; enough for a curve, little enough for a 1280 x 800 window
_MAX_POINTS = 2000  # drawn at most: redrawing stays under a few milliseconds
_AXIS_WIDTH = 38  # pixels; "0.98" and a tick
_LEAST_SPAN = 0.2  # of scores: what chance moves shall not look big
_LOSS = "Loss: what training makes smaller; it should sink and settle"
_SCORE = (
    "Score: how much the clusters tell whatever the light; higher is better. "
    "Dashed: the first map. The map with the best score is kept"
)


class CurvePlot(pg.PlotWidget):
    """One quantity against training step.

    Parameters
    ----------
    tip : str
        The tooltip.
    dark, light : str
        The curve's colour in dark and in light themes.
    sparse : bool
        Whether there are few points: each is marked, and the first one's level
        is drawn as a dashed line.

    Attributes
    ----------
    steps, values : list of int, list of float
        The points.
    curve_color : str
        The present theme's.
    """

    def __init__(self, tip: str, dark: str, light: str, *, sparse: bool) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(100)
        self.setToolTip(tip)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.getPlotItem().setContentsMargins(0, 7, 8, 0)
        self.setMenuEnabled(False)
        self.getAxis("left").setWidth(_AXIS_WIDTH)
        self.getAxis("left").enableAutoSIPrefix(False)
        self.steps: list[int] = []
        self.values: list[float] = []
        self._colors = {"dark": dark, "light": light}
        self.curve_color = dark
        self._sparse = sparse
        self._curve = self.plot([], [])
        self._first = pg.InfiniteLine(angle=0)
        self._first.setVisible(False)
        self.addItem(self._first)

    def sizeHint(self) -> QSize:
        """Ask for little width: the dock decides."""
        return QSize(140, _HEIGHT)

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        colors = get_theme(theme)
        text = QColor(colors.text.as_hex())
        self.setBackground(colors.background.as_hex())
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(text)
            self.getAxis(side).setTextPen(text)
        accent = self._colors["light" if colors.id == "light" else "dark"]
        self.curve_color = accent
        self._curve.setPen(pg.mkPen(accent, width=2 if self._sparse else 1))
        if self._sparse:
            self._curve.setSymbol("o")
            self._curve.setSymbolSize(5)
            self._curve.setSymbolPen(accent)
            self._curve.setSymbolBrush(accent)
        self._first.setPen(pg.mkPen(text, style=Qt.PenStyle.DashLine))

    def clear_curve(self) -> None:
        """Begin a new run."""
        self.steps.clear()
        self.values.clear()
        self._curve.setData([], [])
        self._first.setVisible(False)

    def add(self, step: int, value: float) -> None:
        """Add a point."""
        self.steps.append(step)
        self.values.append(value)
        stride = -(-len(self.steps) // _MAX_POINTS)
        self._curve.setData(self.steps[::stride], self.values[::stride])
        if self._sparse and len(self.steps) == 1:
            self._first.setValue(value)
            self._first.setVisible(True)


class TrainingPlots(QWidget):
    """Loss and score side by side, each with its own axes.

    Parameters
    ----------
    theme : str
        The viewer's theme; `set_theme` follows it.
    """

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.loss = CurvePlot(_LOSS, "#56b4e9", "#0072b2", sparse=False)
        self.score = CurvePlot(_SCORE, "#e69f00", "#d55e00", sparse=True)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(2)
        titled = (("Loss by step", self.loss), ("Score by step", self.score))
        for column, (title, plot) in enumerate(titled):
            label = QLabel(title)
            label.setToolTip(plot.toolTip())
            layout.addWidget(label, 0, column)
            layout.addWidget(plot, 1, column)
            layout.setColumnStretch(column, 1)
        self.score.getViewBox().setLimits(minYRange=_LEAST_SPAN)
        self.score.setXLink(self.loss)
        self.set_theme(theme)

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        for plot in (self.loss, self.score):
            plot.set_theme(theme)

    def clear_curves(self) -> None:
        """Begin a new run."""
        for plot in (self.loss, self.score):
            plot.clear_curve()

    def add(self, step: Step) -> bool:
        """Add what a step tells; returns whether it told anything."""
        total = step.losses.get("total")
        if total is not None:
            self.loss.add(step.index, total)
        if step.score is not None:
            self.score.add(step.index, step.score)
        return total is not None or step.score is not None
