"""From the pixel under the mouse to its spectrum, at a pace eyes can follow."""

from __future__ import annotations

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_dgc.study import Study
from napari_dgc.ui.pointer import Place
from napari_dgc.ui.spectrum_reader import Pixel, SpectrumReader

_PACE_MS = 33  # 30 spectra a second


class SpectraHover(QObject):
    """Asks a reader for the pixel under the mouse, at most 30 times a second.

    Parameters
    ----------
    study : Study
    reader : SpectrumReader
    parent : QWidget
        Nothing is read while it is hidden.

    Signals
    -------
    left : ()
        The mouse is over no pixel any more.
    """

    left = Signal()

    def __init__(self, study: Study, reader: SpectrumReader, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._study = study
        self._reader = reader
        self._place: Place | None = None
        self._asked: Place | None = None
        self._pace = QTimer(self)
        self._pace.setSingleShot(True)
        self._pace.setInterval(_PACE_MS)
        self._pace.timeout.connect(self._on_paced)

    @property
    def place(self) -> Place | None:
        """Where the mouse is; None off the cube."""
        return self._place

    def go_to(self, place: Place | None) -> None:
        """Follow the mouse."""
        self._place = place
        if place is None:
            self._asked = None
            self._reader.hover(None)
            self.left.emit()
        elif not self._pace.isActive():
            self._ask()

    def _on_paced(self) -> None:
        if self._place is not None and self._place != self._asked:
            self._ask()

    def _ask(self) -> None:
        place, cubes = self._place, self._study.cubes
        if place is None or not self._parent.isVisible():
            return
        self._asked = place
        self._pace.start()
        if place.cube < len(cubes):
            self._reader.hover(Pixel(cubes[place.cube], place.row, place.col))
