"""The spectrum that a merge would give, drawn over those that are."""

from __future__ import annotations

import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from napari_dgc.reports.spectra import Spectrum
from napari_dgc.ui.spectra_curves import GroupCurve
from napari_dgc.ui.spectra_plot import SpectraPlot

_WIDTH = 2.6  # pixels
_SHADE = 34  # opacity, 0..255
_ABOVE = 7  # groups, pins and the pixel under the mouse


class Ghost:
    """A merged mean as a dashed line in the target's colour, ± sd as a light shade.

    Attributes
    ----------
    curve : GroupCurve or None
        None while nothing is previewed.
    """

    def __init__(self, plot: SpectraPlot) -> None:
        self._plot = plot
        self.curve: GroupCurve | None = None

    def show(self, spectrum: Spectrum | None) -> None:
        """Draw this one; None: none."""
        item = self._plot.getPlotItem()
        if self.curve is not None:
            self.curve.remove(item)
            self.curve = None
        if spectrum is None:
            return
        self.curve = curve = GroupCurve(item)
        curve.show(spectrum, self._plot.places, self._plot.order)
        background = self._plot.backgroundBrush().color()
        curve.paint(background, bold=True, dim=False, shaded=True, fine=False)
        color, shade = QColor(*spectrum.color), QColor(*spectrum.color)
        shade.setAlpha(_SHADE)
        dashed = pg.mkPen(color, width=_WIDTH, style=Qt.PenStyle.DashLine)
        curve.line.setPen(dashed)
        curve.shade.setBrush(pg.mkBrush(shade))
        curve.line.setZValue(_ABOVE)
