"""The plot of the form "Bands": how noisy each band is, and which are left out."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal

from napari_dgc.study.calibrating.band_choice import BandChoice
from napari_dgc.ui.form_plot import FormPlot

_LEAST, _MOST = 0.1, 1e5  # SNR drawn
_FEW = 150  # bands whose dots may be large


class BandsPlot(FormPlot):
    """Signal to noise against wavelength; a click on a band leaves it out.

    Signals
    -------
    clicked : int
        The band that was clicked on.
    """

    clicked = Signal(int)

    def __init__(self, theme: str) -> None:
        super().__init__(theme, "Signal to noise of each band")
        self.setLogMode(y=True)
        # Decades alone are named: the numbers between lie one over the other.
        self.getAxis("left").setStyle(maxTextLevel=0)
        self._snr: NDArray[np.float64] | None = None
        self._line = pg.PlotDataItem(connect="finite")
        self._line.setPen(pg.mkPen(self.ink("#56b4e980", "#0072b280"), width=1))
        self._dots = pg.ScatterPlotItem(size=7, pxMode=True)
        self._least = pg.InfiniteLine(angle=0)
        self._least.setPen(pg.mkPen(self.text_color, style=Qt.PenStyle.DashLine))
        self._outside = [pg.LinearRegionItem(movable=False) for _ in range(2)]
        for region in self._outside:
            region.setBrush(pg.mkBrush(128, 128, 128, 70))
            for edge in region.lines:
                edge.setPen(pg.mkPen(None))
            self.addItem(region, ignoreBounds=True)
        for item in (self._least, self._line, self._dots):
            self.addItem(item)
        self._dots.sigClicked.connect(self._on_clicked)
        self.setToolTip(
            "Each dot is a band. Click a dot to leave the band out, or to take it in "
            "again. Dashed: bands below are called noisy"
        )

    def draw(
        self, choice: BandChoice, snr: NDArray[np.float64], least: float, name: str
    ) -> None:
        """Draw the bands: kept, noisy, left out, and ruled out by the file.

        Parameters
        ----------
        choice : BandChoice
        snr : ndarray of float64, shape (C,)
            NaN where it is not known: drawn at the foot.
        least : float
            Bands below are called noisy.
        name : str
            Of the axis.
        """
        self._least.setValue(np.log10(least))
        places = choice.places
        shown = np.clip(np.nan_to_num(snr, nan=_LEAST), _LEAST, _MOST)
        order = np.argsort(places, kind="stable")
        curve = np.where(np.isfinite(snr), shown, np.nan)
        self._line.setData(places[order], curve[order])
        kept, bad = choice.kept, choice.bad
        blue, red = self.ink("#56b4e9", "#0072b2"), self.ink("#ff7b5a", "#c8321a")
        grey = self.ink("#8a8f98", "#9a9a9a")
        spots = []
        for band in range(len(places)):
            color = red if choice.noisy[band] else blue
            spots.append(
                {
                    "pos": (places[band], np.log10(shown[band])),
                    "data": band,
                    "symbol": "o" if kept[band] else "x",
                    "pen": pg.mkPen(grey if bad[band] else color, width=1.4),
                    "brush": pg.mkBrush(color) if kept[band] else pg.mkBrush(None),
                }
            )
        self._dots.setSize(7 if len(spots) <= _FEW else 5)
        self._dots.setData(spots)
        self.setLabel("bottom", name)
        low, high = float(places.min()), float(places.max())
        margin = 0.02 * (high - low) or 0.5
        self._outside[0].setRegion((low - margin, choice.span[0]))
        self._outside[1].setRegion((choice.span[1], high + margin))
        whole = np.log10(shown)  # whole decades: their ticks can be read
        self.setYRange(np.floor(whole.min()), np.ceil(whole.max() + 1e-9), padding=0.02)
        self.setXRange(low - margin, high + margin, padding=0)

    def _on_clicked(self, item: object, points: list, event: object = None) -> None:
        if len(points):
            self.clicked.emit(int(points[0].data()))
