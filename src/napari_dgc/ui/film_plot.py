"""Score and active clusters along a training, with what was warned of."""

from __future__ import annotations

import pyqtgraph as pg
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor

from napari_dgc.study.film import Film
from napari_dgc.ui.film_wording import word_warning

HEIGHT = 76  # pixels
AXIS_WIDTH = 38  # pixels: "0.98" and a tick
COUNT_WIDTH = 26  # pixels: "128" and a tick
_MARGIN = 8  # pixels beside the first and the last step: half a slider's handle
_NEAR = 7  # pixels from a mark
_LEAST_SPAN = 0.2  # of scores: what chance moves shall not look big
_TIP = (
    "The film of this training: score (orange, left) and active clusters (blue, right) "
    "against step. Star: the best map. Triangle: a warning. Click or drag to show a "
    "snapshot"
)
# Dark and light themes.
_SCORE, _ACTIVE = ("#e69f00", "#d55e00"), ("#56b4e9", "#0072b2")
_WARNING = ("#ff5c5c", "#c8102e")


def word_legend(theme: str) -> str:
    """Name the two curves, each beside a line of its colour; rich text."""
    light = int(get_theme(theme).id == "light")
    named = ((_SCORE[light], "score"), (_ACTIVE[light], "clusters"))
    return "&nbsp; ".join(
        f'<span style="color:{color}">━</span>&nbsp;{name}' for color, name in named
    )


class FilmPlot(pg.PlotWidget):
    """The curves above the scrubber; the mouse scrubs here, too.

    Signals
    -------
    pointed : float
        The step that the mouse points at with its button held.
    """

    pointed = Signal(float)

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(100)
        self.setToolTip(_TIP)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.getPlotItem().setContentsMargins(0, 6, 0, 0)
        self.showAxis("right")
        for side, width in (("left", AXIS_WIDTH), ("right", COUNT_WIDTH)):
            self.getAxis(side).setWidth(width)
            self.getAxis(side).enableAutoSIPrefix(False)
        self._film = Film()
        self._make_items()
        self.set_theme(theme)

    def _make_items(self) -> None:
        box = self.getViewBox()
        box.setLimits(minYRange=_LEAST_SPAN)
        # pyqtgraph's way to a second axis: a view box of its own over the first one.
        self._counts = pg.ViewBox(enableMenu=False)
        self._counts.setMouseEnabled(x=False, y=False)
        self.scene().addItem(self._counts)
        self.getAxis("right").linkToView(self._counts)
        self._counts.setXLink(box)
        box.sigResized.connect(self._on_box_resized)
        self._active = pg.PlotCurveItem()
        self._counts.addItem(self._active)
        self._score = self.plot([], [], symbol="o", symbolSize=4)
        self._best = pg.ScatterPlotItem(symbol="star", size=13)
        self._warned = pg.ScatterPlotItem(symbol="t", size=9)
        self._here = pg.InfiniteLine(angle=90)
        for item in (self._best, self._warned, self._here):
            self.addItem(item, ignoreBounds=True)
        self._here.setVisible(False)

    def sizeHint(self) -> QSize:
        """Ask for little width: the dock decides."""
        return QSize(140, HEIGHT)

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        colors = get_theme(theme)
        light = int(colors.id == "light")
        text = QColor(colors.text.as_hex())
        self.setBackground(colors.background.as_hex())
        self.getAxis("bottom").setPen(text)
        self.getAxis("bottom").setTextPen(text)
        for side, accent in (("left", _SCORE[light]), ("right", _ACTIVE[light])):
            self.getAxis(side).setPen(accent)
            self.getAxis(side).setTextPen(accent)
        self._score.setPen(pg.mkPen(_SCORE[light], width=2))
        self._score.setSymbolPen(_SCORE[light])
        self._score.setSymbolBrush(_SCORE[light])
        self._active.setPen(pg.mkPen(_ACTIVE[light], width=1))
        self._best.setPen(pg.mkPen(text))
        self._best.setBrush(_SCORE[light])
        self._warned.setPen(pg.mkPen(colors.background.as_hex()))
        self._warned.setBrush(_WARNING[light])
        self._here.setPen(pg.mkPen(text, width=2))

    def show_film(self, film: Film) -> None:
        """Draw the film's curves and marks."""
        self._film = film
        frames = film.frames
        points = {f.step: f.score for f in frames if f.score is not None}
        scores = [*points.values()]
        self._score.setData([*points], scores)
        counts = [f.active for f in frames]
        self._active.setData([float(f.step) for f in frames], [*map(float, counts)])
        best = [film.best] if film.best in points else []
        self._best.setData(best, [points[step] for step in best])
        if scores:
            low, high = min(scores), max(scores)
            middle, half = (low + high) / 2, max(high - low, _LEAST_SPAN) / 2
            self.setYRange(middle - 1.3 * half, middle + 1.3 * half, padding=0)
            marks = [w.step for w in film.warnings]
            self._warned.setData(marks, [middle - 1.1 * half] * len(marks))
        most = max([1, *counts])
        self._counts.setYRange(0, 1.15 * most, padding=0)
        self.getAxis("right").setTicks([[(0, "0"), (most, str(most))]])
        self._fit_steps()

    def _fit_steps(self) -> None:
        frames = self._film.frames
        first, last = (frames[0].step, frames[-1].step) if frames else (0, 1)
        inner = max(1.0, self.getViewBox().width() - 2 * _MARGIN)
        self.setXRange(first, max(last, first + 1), padding=_MARGIN / inner)

    def mark(self, step: int | None) -> None:
        """Mark the step on show."""
        self._here.setVisible(step is not None)
        if step is not None:
            self._here.setValue(step)

    def place_of(self, step: float) -> int:
        """Pixels from the left to where a step is drawn."""
        point = self.getViewBox().mapViewToScene(pg.Point(step, 0))
        return self.mapFromScene(point).x()

    def mousePressEvent(self, event) -> None:
        """Point at a step."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.pointed.emit(self._step_at(event))

    def mouseMoveEvent(self, event) -> None:
        """Point at a step with the button held; else tell what a mark stands for."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.pointed.emit(self._step_at(event))
            return
        x = event.position().x()
        near = [
            word_warning(w)
            for w in self._film.warnings
            if abs(self.place_of(w.step) - x) <= _NEAR
        ]
        self.setToolTip("\n".join(near) or _TIP)

    def mouseReleaseEvent(self, event) -> None:
        """Nothing is dragged here."""

    def wheelEvent(self, event) -> None:
        """Leave the wheel to the dock."""
        event.ignore()

    def _step_at(self, event) -> float:
        scene = self.mapToScene(event.position().toPoint())
        return float(self.getViewBox().mapSceneToView(scene).x())

    def _on_box_resized(self) -> None:
        self._counts.setGeometry(self.getViewBox().sceneBoundingRect())
        self._fit_steps()
