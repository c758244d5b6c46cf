"""What a spectra plot is made of: a group's curve, and a view that scrubs."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor, QPainterPath
from qtpy.QtWidgets import QGraphicsPathItem

from napari_dgc.reports.spectra import Color, Spectrum

REACH = 7
"""Pixels from a curve that still mean it."""

_LINE, _BOLD = 1.6, 3.0  # pixels
_FINE = 1.0  # many smooth lines wider than this take 50 ms to draw
_DIM_LINE, _SHADE, _DIM_SHADE = 70, 46, 0  # opacity, 0..255
_LEAST_CONTRAST = 1.7  # below, a line gets an edge; WCAG's ratio, 1 to 21


class GroupCurve:
    """A group's mean as a line, and ± sd as a shade.

    Attributes
    ----------
    line : pyqtgraph.PlotCurveItem
        The mean at ascending x.
    shade : QGraphicsPathItem
        The area within one sd.
    """

    def __init__(self, plot: pg.PlotItem) -> None:
        self.line = pg.PlotCurveItem(connect="finite", antialias=True)
        self.shade = QGraphicsPathItem()
        self.shade.setPen(pg.mkPen(None))
        self.spectrum: Spectrum | None = None
        self._style: tuple = ()
        plot.addItem(self.shade, ignoreBounds=True)
        plot.addItem(self.line, ignoreBounds=True)

    def remove(self, plot: pg.PlotItem) -> None:
        """Take it out of the plot."""
        plot.removeItem(self.line)
        plot.removeItem(self.shade)

    def show(
        self, spectrum: Spectrum, x: NDArray[np.float64], order: NDArray[np.intp]
    ) -> None:
        """Draw a spectrum; what is on show already costs nothing."""
        old, self.spectrum = self.spectrum, spectrum
        if old is not None and old.mean is spectrum.mean:
            return  # another name or colour: the numbers are the same
        mean = np.asarray(spectrum.mean, np.float64)[order]
        self.line.setData(x, mean, connect="finite")
        if spectrum.std is not None:
            std = np.asarray(spectrum.std, np.float64)[order]
            self.shade.setPath(_area(x, mean - std, mean + std))

    def ends(self) -> tuple[float, float] | None:
        """Lowest and highest value of mean ± sd; None where there is none."""
        if self.spectrum is None or self.spectrum.std is None:
            return None
        mean, std = self.spectrum.mean, self.spectrum.std
        if not np.isfinite(mean).any():
            return None
        return float(np.nanmin(mean - std)), float(np.nanmax(mean + std))

    def distance(self, place: QPointF, pixel: tuple[float, float]) -> float:
        """Say how far the line passes a place, in pixels; infinite beyond reach.

        Parameters
        ----------
        place : QPointF
            In the view's coordinates.
        pixel : tuple of float
            Width and height of a pixel in them.
        """
        x, y = self.line.getData()
        across = np.arange(-REACH, REACH + 1)
        passing = np.interp(place.x() + pixel[0] * across, x, y, np.nan, np.nan)
        up = (passing - place.y()) / pixel[1]
        distance = float(np.nanmin(np.r_[np.hypot(across, up), np.inf]))
        return distance if distance <= REACH else np.inf

    def paint(
        self, background: QColor, *, bold: bool, dim: bool, shaded: bool, fine: bool
    ) -> None:
        """Say how it looks; painting the same again costs nothing.

        Parameters
        ----------
        background : QColor
        bold, dim : bool
            Selected or pointed at; or not so, while others are.
        shaded : bool
            Whether ± sd is shown, unless dimmed.
        fine : bool
            One of many: as thin and as quick to draw as can be, unless bold.
        """
        if self.spectrum is None:
            return
        style = (self.spectrum.color, background.rgb(), bold, dim, shaded, fine)
        if style == self._style:
            return
        self._style = style
        color = QColor(*self.spectrum.color)
        edged = not dim and contrast(self.spectrum.color, background) < _LEAST_CONTRAST
        edge = QColor("white" if background.lightnessF() < 0.5 else "black")
        edge.setAlpha(150)
        width = _BOLD if bold else _FINE if fine else _LINE
        self.line.opts["antialias"] = bold or not fine
        self.line.setShadowPen(pg.mkPen(edge, width=width + 1.6) if edged else None)
        shade = QColor(color)
        shade.setAlpha(_SHADE)
        color.setAlpha(_DIM_LINE if dim else 255)
        self.line.setPen(pg.mkPen(color, width=width))
        self.shade.setBrush(pg.mkBrush(shade))
        self.shade.setVisible(shaded and not dim)
        level = 3 if bold else 1 if dim else 2
        self.line.setZValue(level)
        self.shade.setZValue(level - 5)


class PinCurve:
    """A pinned pixel's spectrum: a thin dashed line with its number.

    Attributes
    ----------
    line : pyqtgraph.PlotCurveItem
    """

    def __init__(
        self,
        plot: pg.PlotItem,
        number: int,
        spectrum: Spectrum,
        x: NDArray[np.float64],
        order: NDArray[np.intp],
    ) -> None:
        y = np.asarray(spectrum.mean, np.float64)[order]
        self.line = pg.PlotCurveItem(x, y, connect="finite", antialias=True)
        self.line.setZValue(4)
        self._number = pg.TextItem(str(number), anchor=(0.5, 1))
        self._number.setZValue(5)
        finite = np.flatnonzero(np.isfinite(y))
        self._number.setVisible(bool(finite.size))
        if finite.size:
            # A tenth of the axis apart, so that numbers do not hide each other.
            place = finite[-1 - (number * len(finite) // 10) % len(finite)]
            self._number.setPos(x[place], y[place])
        self._y = y[finite]
        for item in (self.line, self._number):
            plot.addItem(item, ignoreBounds=True)

    def ends(self) -> tuple[float, float] | None:
        """Lowest and highest value; None where there is none."""
        return (self._y.min(), self._y.max()) if self._y.size else None

    def remove(self, plot: pg.PlotItem) -> None:
        """Take it out of the plot."""
        plot.removeItem(self.line)
        plot.removeItem(self._number)

    def paint(self, color: QColor) -> None:
        """Draw it in this colour."""
        self.line.setPen(pg.mkPen(color, width=1.2, style=Qt.PenStyle.DashLine))
        self._number.setColor(color)


def _area(
    x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> QPainterPath:
    """Outline what lies between two curves, one piece per run of finite values."""
    path = QPainterPath()
    finite = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(np.int8)))
    for start, end in edges.reshape(-1, 2).tolist():
        xs, lows, highs = x[start:end], low[start:end], high[start:end]
        path.addPath(
            pg.arrayToQPath(np.r_[xs, xs[::-1]], np.r_[lows, highs[::-1]], "all")
        )
    return path


def contrast(color: Color, background: QColor) -> float:
    """WCAG's contrast ratio, from 1 (alike) to 21."""
    one, other = _luminance(color), _luminance(background.getRgb()[:3])
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(color: Color) -> float:
    r, g, b = (
        v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in color)
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


class ScrubBox(pg.ViewBox):
    """A view in which the left button scrubs along x and the wheel zooms it.

    Signals
    -------
    scrubbed : float
        An x under the mouse while it drags.
    clicked : (QPointF, bool)
        A place in the view's coordinates, and whether Ctrl was held.
    reset_wanted : ()
        Somebody double-clicked.
    """

    scrubbed = Signal(float)
    clicked = Signal(QPointF, bool)
    reset_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)

    def mouseDragEvent(self, ev, axis=None) -> None:
        """Scrub."""
        ev.accept()
        if axis is None and ev.button() == Qt.MouseButton.LeftButton:
            self.scrubbed.emit(self.mapToView(ev.pos()).x())

    def mouseClickEvent(self, ev) -> None:
        """Tell where."""
        if ev.button() != Qt.MouseButton.LeftButton:
            return
        ev.accept()
        if ev.double():
            self.reset_wanted.emit()
        else:
            control = bool(ev.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.clicked.emit(self.mapToView(ev.pos()), control)
