"""The loss curve, in the viewer's theme."""

from __future__ import annotations

from collections.abc import Mapping

import pyqtgraph as pg
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QColor

_HEIGHT = 84  # pixels; enough for a curve, little enough for a 1280 x 800 window
_MAX_POINTS = 2000  # drawn at most: redrawing stays under a few milliseconds


class LossPlot(pg.PlotWidget):
    """Total loss against training step.

    Parameters
    ----------
    theme : str
        The viewer's theme; `set_theme` follows it.
    """

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(120)
        self.setToolTip("Total loss at each training step; it should sink and settle")
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.getPlotItem().setContentsMargins(0, 7, 4, 0)
        self.setMenuEnabled(False)
        self.getAxis("left").setWidth(36)
        self.getAxis("left").enableAutoSIPrefix(False)
        self._steps: list[int] = []
        self._totals: list[float] = []
        self._curve = self.plot([], [])
        self.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Ask for little width: the dock decides."""
        return QSize(200, _HEIGHT)

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        colors = get_theme(theme)
        text = QColor(colors.text.as_hex())
        self.setBackground(colors.background.as_hex())
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(text)
            self.getAxis(side).setTextPen(text)
        accent = "#0072b2" if colors.id == "light" else "#56b4e9"
        self._curve.setPen(pg.mkPen(accent, width=2))

    def clear_curve(self) -> None:
        """Begin a new run."""
        self._steps.clear()
        self._totals.clear()
        self._curve.setData([], [])

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Add a point; what carries no total is passed over."""
        total = losses.get("total")
        if total is None:
            return
        self._steps.append(step)
        self._totals.append(total)
        stride = -(-len(self._steps) // _MAX_POINTS)
        self._curve.setData(self._steps[::stride], self._totals[::stride])
