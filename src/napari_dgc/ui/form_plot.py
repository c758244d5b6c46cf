"""A small plot against wavelength in the viewer's theme, for forms."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtGui import QColor


class FormPlot(pg.PlotWidget):
    """One quantity of each band; the mouse moves and zooms nothing.

    Parameters
    ----------
    theme : str
    title : str
        What is drawn, with its unit.
    """

    def __init__(self, theme: str, title: str) -> None:
        super().__init__()
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.getAxis("left").enableAutoSIPrefix(False)
        self.getAxis("left").setWidth(46)  # pixels: "12000" and a tick
        self.getPlotItem().setContentsMargins(0, 4, 8, 5)
        colors = get_theme(theme)
        self.text_color = QColor(colors.text.as_hex())
        self.dark = colors.id != "light"
        self.setBackground(colors.background.as_hex())
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(self.text_color)
            self.getAxis(side).setTextPen(self.text_color)
        self.setTitle(title, color=self.text_color, size="9pt")

    def ink(self, dark: str, light: str) -> QColor:
        """The one colour on a dark background, the other on a light one."""
        return QColor(dark if self.dark else light)


def axis_of(
    wavelengths: NDArray[np.float64] | None, bands: int
) -> tuple[NDArray[np.float64], str]:
    """Where the bands are, (C,), and what the axis is called."""
    if wavelengths is None:
        return np.arange(bands, dtype=np.float64), "Band"
    return wavelengths, "Wavelength (nm)"
