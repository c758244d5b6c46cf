"""What calibrating would make of a cube: mean spectra before and after."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.describing import (
    describe,
    describe_counts,
    word_calibrated_twice,
)
from napari_dgc.cubes.pixel_states import PixelCounts
from napari_dgc.study.calibrating.references import Preview, References, preview
from napari_dgc.ui.form_plot import FormPlot, axis_of
from napari_dgc.ui.notices import WrappedLabel, one_line
from napari_dgc.ui.worker import Job, Runner

_PAUSE_MS = 200  # after the last change, before anything is read
_WAIT = "Reading…"
_TOO_HIGH = 1.2  # of a mean over the whole picture


class CalibrationPreview(QWidget):
    """Two plots and what is to be said of them; read in a worker.

    Signals
    -------
    ready : bool
        Whether the references fit the cube; False until that is known.
    """

    ready = Signal(bool)

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._wanted: tuple[Cube, References | None] | None = None
        self._new = False  # references that were chosen, not those in use
        self.found: Preview | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._begin)
        self._runner = Runner(self)
        self._runner.yielded.connect(self._on_found)
        self._runner.failed.connect(self._on_failed)
        self._runner.running_changed.connect(self._on_running_changed)
        self.before = FormPlot(theme, "Before: mean values")
        self.after = FormPlot(theme, "After: mean reflectance")
        self.words = WrappedLabel()
        plots = QHBoxLayout()
        plots.addWidget(self.before)
        plots.addWidget(self.after)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(plots, stretch=1)
        column.addWidget(self.words)
        lines = 3 * self.words.fontMetrics().lineSpacing()  # nothing jumps then
        self.words.setMinimumHeight(lines)

    def look(self, cube: Cube | None, references: References | None, why: str) -> None:
        """Preview these references, else those in use.

        Where there are neither, say `why` there is nothing to see.
        """
        self.ready.emit(False)
        self._wanted = None
        self._new = references is not None
        if cube is None or not (self._new or cube.calibration is not None):
            self._pause.stop()
            self._runner.stop()
            self._draw(None)
            self.words.setText(why)
            return
        self._wanted = cube, references
        self.words.setText(_WAIT)
        self._pause.start()

    def stop(self) -> None:
        """Read no further."""
        self._pause.stop()
        self._wanted = None
        self._runner.stop()

    def _begin(self) -> None:
        if self._runner.running:
            self._runner.stop()  # the latest wish begins when it has ended
        elif self._wanted is not None:
            job = partial(preview, *self._wanted)
            self._wanted = None
            self._runner.start(Job("a preview of the calibration", job))

    def _on_found(self, piece: Preview | PixelCounts) -> None:
        if self._wanted is not None:
            return
        if isinstance(piece, PixelCounts):
            self.words.setText(f"{self.words.text()} {describe_counts(piece)}.")
            return
        self._draw(piece)
        how = "By" if self._new else "Calibrated by"
        text = f"{how} {describe(piece.cube)}."
        twice = word_calibrated_twice(piece.cube, piece.before)
        finite = piece.after[np.isfinite(piece.after)]
        if twice:
            text += f" But {twice}."
        elif finite.size and finite.max() > _TOO_HIGH:
            text += f" Reflectance rises to {finite.max():.2g}: is the target white?"
        # Names of files have no spaces at which a line could break.
        self.words.setText(text.replace("_", "_\u200b"))
        self.ready.emit(self._new)

    def _draw(self, found: Preview | None) -> None:
        self.found = found
        for plot in (self.before, self.after):
            plot.clear()
        if found is None:
            return
        cube = found.cube
        x, name = axis_of(cube.wavelengths, cube.bands)
        order = np.argsort(x, kind="stable")
        for plot, values in ((self.before, found.before), (self.after, found.after)):
            pen = plot.ink("#56b4e9", "#0072b2")
            plot.plot(x[order], values[order], pen=pen, connect="finite")
            plot.setLabel("bottom", name)

    def _on_failed(self, error: Exception) -> None:
        if self._wanted is None:
            self._draw(None)
            self.words.setText(one_line(error))

    def _on_running_changed(self, running: bool) -> None:
        if not running and self._wanted is not None:
            self._pause.start()
