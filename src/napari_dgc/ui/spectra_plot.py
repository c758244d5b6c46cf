"""The plot of spectra: groups, pinned pixels, the pixel under the mouse, the band."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor

from napari_dgc.cubes.wavelengths import drawing_order
from napari_dgc.reports.spectra import MOST_SHADED, Spectrum, shorten
from napari_dgc.ui.spectra_curves import GroupCurve, PinCurve, ScrubBox

_MARGIN = 0.04  # of the y range, above and below
_FAR = 0.25  # of the y range: the mouse's pixel may leave it by as much
_AXIS_WIDTH = 46  # pixels; fixed, so that nothing moves sideways
_AXIS_HEIGHT = 33  # pixels; numbers and a line of text
_HINT_WIDTH = 420  # pixels

Range = tuple[float, float]


class SpectraPlot(pg.PlotWidget):
    """Spectra against wavelength.

    The y range is that of the groups' mean ± sd and the pinned pixels. The pixel
    under the mouse widens it only where it lies far outside, and only until
    `show_cursor(None)`.

    Signals
    -------
    group_clicked : (int, bool)
        Its id, and whether Ctrl was held.
    group_pointed : object
        Id of the group whose curve is under the mouse, or None.
    band_wanted : int
    """

    group_clicked = Signal(int, bool)
    group_pointed = Signal(object)
    band_wanted = Signal(int)

    def __init__(self, theme: str) -> None:
        self.box = ScrubBox()
        super().__init__(viewBox=self.box)
        self.setMinimumSize(200, 90)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.getPlotItem().setContentsMargins(0, 6, 8, 5)
        self.getAxis("left").setWidth(_AXIS_WIDTH)
        self.getAxis("bottom").setHeight(_AXIS_HEIGHT)
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
        self.box.disableAutoRange()
        self.curves: dict[int, GroupCurve] = {}
        self._pins: list[PinCurve] = []
        self._pinned: list[tuple[int, int]] = []
        self._selected: frozenset[int] = frozenset()
        self._pointed: int | None = None
        self.places, self.order = np.arange(2.0), np.arange(2)
        self._nm = False
        self._resting: Range | None = None
        self._y_range: Range = (0.0, 1.0)
        self._make_items()
        self.set_theme(theme)
        self.box.scrubbed.connect(self._on_scrubbed)
        self.box.clicked.connect(self._on_clicked)
        self.box.reset_wanted.connect(self._reset_x)
        self.scene().sigMouseMoved.connect(self._on_mouse_moved)

    def _make_items(self) -> None:
        self.band = pg.InfiniteLine(angle=90)
        self.band.setZValue(-8)
        self.cursor_line = pg.PlotCurveItem(connect="finite", antialias=True)
        self.cursor_line.setZValue(6)
        self.name = pg.TextItem(anchor=(0, 1))
        self.name.setZValue(8)
        self.name.setVisible(False)
        for item in (self.band, self.cursor_line, self.name):
            self.addItem(item, ignoreBounds=True)
        # Placed in the widget's own pixels: it stays put whatever the ranges are.
        self.hint = pg.TextItem(anchor=(0.5, 0.5))
        self.hint.setParentItem(self.box)
        self.hint.setVisible(False)

    def sizeHint(self) -> QSize:
        """Ask for little: the image beside it needs the room."""
        return QSize(400, 150)

    # -- what is shown ------------------------------------------------------

    def set_axis(self, wavelengths: NDArray[np.float64] | None, bands: int) -> None:
        """Say where the bands are: nm (C,), or None and their number."""
        x, order = drawing_order(wavelengths, bands)
        same = np.array_equal(x, self.places) and np.array_equal(order, self.order)
        if same and self._nm == (wavelengths is not None):
            return
        self.places, self.order, self._nm = x, order, wavelengths is not None
        self.setLabel("bottom", "Wavelength (nm)" if self._nm else "Band")
        for id in list(self.curves):
            self.curves.pop(id).remove(self.getPlotItem())
        self.show_pins(())
        self.show_cursor(None)
        self._reset_x()

    def show_groups(self, spectra: Mapping[int, Spectrum]) -> None:
        """Draw these groups' spectra, by id, and no other's."""
        for id in [id for id in self.curves if id not in spectra]:
            self.curves.pop(id).remove(self.getPlotItem())
        for id, spectrum in spectra.items():
            if id not in self.curves:
                self.curves[id] = GroupCurve(self.getPlotItem())
            self.curves[id].show(spectrum, self.places, self.order)
        if self._pointed not in self.curves:
            self.point(None)
        self._paint()

    def highlight(self, ids: Iterable[int]) -> None:
        """Draw these groups thick and dim the others; none dims none."""
        self._selected = frozenset(ids)
        self._paint()

    def point(self, id: int | None) -> None:
        """Draw one more group thick, as the one that is meant."""
        if id != self._pointed:
            self._pointed = id
            self.name.setVisible(False)
            self._paint()

    def show_pins(self, pins: Sequence[tuple[int, Spectrum]]) -> None:
        """Draw pinned pixels, each with its number."""
        shown = [(number, id(spectrum.mean)) for number, spectrum in pins]
        if shown == self._pinned:
            return
        self._pinned = shown
        for curve in self._pins:
            curve.remove(self.getPlotItem())
        self._pins = [
            PinCurve(self.getPlotItem(), number, spectrum, self.places, self.order)
            for number, spectrum in pins
        ]
        for curve in self._pins:
            curve.paint(self._text)

    def show_cursor(self, spectrum: NDArray[np.floating] | None) -> None:
        """Draw the spectrum (C,) under the mouse; None where there is none."""
        if spectrum is None:
            self.cursor_line.clear()
            self._set_y(self._y_range)
            return
        y = np.asarray(spectrum, np.float64)[self.order]
        self.cursor_line.setData(self.places, y, connect="finite")
        finite = y[np.isfinite(y)]
        if not finite.size:
            return
        low, high = self._resting or self._y_range
        far = _FAR * (self._y_range[1] - self._y_range[0])
        if finite.min() < low - far or finite.max() > high + far:
            self._set_y(_widened(min(low, finite.min()), max(high, finite.max())))

    def fit(self, otherwise: Range = (0.0, 1.0)) -> None:
        """Set the y range by what stays: groups and pins; else as given."""
        ends = [pin.ends() for pin in self._pins]
        ends += [curve.ends() for curve in self.curves.values()]
        found = np.array([pair for pair in ends if pair is not None] or [otherwise])
        new = _widened(float(found[:, 0].min()), float(found[:, 1].max()))
        if self._y_range != new:
            self._y_range = new
            self._set_y(new)

    def show_band(self, band: int) -> None:
        """Mark the band of napari's slider; -1 for none."""
        self.band.setVisible(0 <= band < len(self.places))
        if self.band.isVisible():
            self.band.setValue(self.places[np.flatnonzero(self.order == band)[0]])

    def say(self, text: str) -> None:
        """Write over the plot what to do next; empty: nothing."""
        self.hint.setText(text, self._text)
        self.hint.setTextWidth(min(_HINT_WIDTH, max(self.width() - 80, 120)))
        self.hint.setVisible(bool(text))
        self._place_hint()

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        colors = get_theme(theme)
        self._text = QColor(colors.text.as_hex())
        self._background = QColor(colors.background.as_hex())
        self.setBackground(self._background)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(self._text)
            self.getAxis(side).setTextPen(self._text)
        self.band.setPen(pg.mkPen(self._text, width=1, style=Qt.PenStyle.DotLine))
        self.cursor_line.setPen(pg.mkPen(self._text, width=2.2))
        edge = QColor(self._background)
        self.cursor_line.setShadowPen(pg.mkPen(edge, width=4.5))
        self.name.setColor(self._text)
        self.name.fill = pg.mkBrush(self._background)
        self.name.border = pg.mkPen(self._text, width=0.6)
        self.hint.setColor(self._text)
        self.hint.fill = pg.mkBrush(self._background)
        for pin in self._pins:
            pin.paint(self._text)
        self._paint()

    def _paint(self) -> None:
        marked = self._selected & set(self.curves)
        bold = marked | ({self._pointed} & set(self.curves))
        largest = sorted(self.curves, key=lambda id: -self._pixels(id))
        shaded = bold | set(largest[:MOST_SHADED])
        for id, curve in self.curves.items():
            curve.paint(
                self._background,
                bold=id in bold,
                dim=bool(marked) and id not in bold,
                shaded=id in shaded,
                fine=len(self.curves) > MOST_SHADED,
            )

    def _pixels(self, id: int) -> int:
        spectrum = self.curves[id].spectrum
        return 0 if spectrum is None else spectrum.n

    def _set_y(self, ends: Range) -> None:
        self._resting = ends
        self.box.setYRange(*ends, padding=0)

    def _reset_x(self) -> None:
        low, high = float(self.places[0]), float(self.places[-1])
        if not low < high:
            low, high = low - 0.5, high + 0.5
        self.box.setLimits(
            xMin=low - 0.02 * (high - low), xMax=high + (high - low) / 50
        )
        self.box.setXRange(low, high, padding=0.01)

    # -- the mouse ----------------------------------------------------------

    def curve_at(self, place: QPointF) -> int | None:
        """Find the group whose curve is within reach of a place in the view."""
        if not self.curves:
            return None
        pixel = self.box.viewPixelSize()
        distances = {id: c.distance(place, pixel) for id, c in self.curves.items()}
        nearest = min(distances, key=lambda id: distances[id])
        return nearest if np.isfinite(distances[nearest]) else None

    def _on_mouse_moved(self, scene_place: QPointF) -> None:
        inside = self.box.sceneBoundingRect().contains(scene_place)
        place = self.box.mapSceneToView(scene_place)
        id = self.curve_at(place) if inside else None
        if id != self._pointed:
            self.point(id)
            self.group_pointed.emit(id)
        spectrum = self.curves[id].spectrum if id in self.curves else None
        self.name.setVisible(spectrum is not None)
        if spectrum is not None:
            self.name.setText(shorten(spectrum.name))
            # Left of the mouse in the right half: never cut off at the edge.
            right = scene_place.x() > self.box.sceneBoundingRect().center().x()
            self.name.setAnchor((1.0 if right else 0.0, 1.0))
            self.name.setPos(place)

    def _on_scrubbed(self, x: float) -> None:
        nearest = int(np.abs(self.places - x).argmin())
        self.band_wanted.emit(int(self.order[nearest]))

    def _on_clicked(self, place: QPointF, control: bool) -> None:
        id = self.curve_at(place)
        if id is None:
            self._on_scrubbed(place.x())
        else:
            self.group_clicked.emit(id, control)

    def leaveEvent(self, event) -> None:
        """Mean no curve any more."""
        super().leaveEvent(event)
        self.point(None)
        self.group_pointed.emit(None)

    def resizeEvent(self, event) -> None:
        """Keep the hint in the middle."""
        super().resizeEvent(event)
        if hasattr(self, "hint"):
            self._place_hint()

    def _place_hint(self) -> None:
        self.hint.setPos(self.box.boundingRect().center())


def _widened(low: float, high: float) -> Range:
    margin = _MARGIN * (high - low) or max(abs(high), 1.0) * _MARGIN
    return low - margin, high + margin
