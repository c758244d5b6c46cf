"""Reads single pixels' spectra without keeping the screen waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.backing import reads_at_once
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.worker import Job, Runner


class Pixel(NamedTuple):
    """A pixel of a cube; cubes are told apart by identity."""

    cube: Cube
    row: int
    col: int


class SpectrumReader(QObject):
    """Reads at once what is in memory or mapped, all else in a worker.

    Of the pixels under the mouse only the latest matters: one that is asked for
    while another is being read takes the place of any that waits. Those to be
    kept are read in between, and kept.

    Signals
    -------
    hovered : (Pixel, ndarray)
        The spectrum (C,) of the latest pixel asked for by `hover`.
    kept : ()
        `keep` has more to show.
    failed : Exception
        A cube cannot be read; told once for each cube.
    """

    hovered = Signal(object, object)
    kept = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner(self)
        self._runner.yielded.connect(self._on_read)
        self._runner.failed.connect(self._on_failed)
        self._runner.succeeded.connect(self._go_on)
        self._under_way: Pixel | None = None
        self._hovered: Pixel | None = None
        self._waiting: Pixel | None = None
        self._wanted: tuple[Pixel, ...] = ()
        self._spectra: dict[Pixel, NDArray[np.float32]] = {}
        self._broken: list[Cube] = []

    def hover(self, pixel: Pixel | None) -> None:
        """Ask for the pixel under the mouse; None: it has left."""
        self._hovered, self._waiting = pixel, None
        if pixel is None:
            return
        if pixel in self._spectra:
            self.hovered.emit(pixel, self._spectra[pixel])
        elif reads_at_once(pixel.cube.data):
            spectrum = self._read_now(pixel)
            if spectrum is not None:
                self.hovered.emit(pixel, spectrum)
        else:
            self._waiting = pixel
            self._go_on()

    def keep(self, pixels: Iterable[Pixel]) -> dict[Pixel, NDArray[np.float32]]:
        """Ask for pixels to be kept, and forget all others.

        Returns
        -------
        dict of Pixel to ndarray of float32, shape (C,)
            Those read already; `kept` tells when there are more.
        """
        self._wanted = tuple(pixels)
        self._spectra = {p: s for p, s in self._spectra.items() if p in self._wanted}
        for pixel in self._wanted:
            if pixel not in self._spectra and reads_at_once(pixel.cube.data):
                spectrum = self._read_now(pixel)
                if spectrum is not None:
                    self._spectra[pixel] = spectrum
        self._go_on()
        return {p: self._spectra[p] for p in self._wanted if p in self._spectra}

    def _read_now(self, pixel: Pixel) -> NDArray[np.float32] | None:
        if pixel.cube in self._broken:
            return None
        try:
            return pixel.cube.spectrum(pixel.row, pixel.col)
        except InputError as error:
            self._give_up(pixel.cube, error)
            return None

    def _go_on(self) -> None:
        """Read in the worker what comes next, if anything does."""
        if self._runner.running:
            return
        queue = [self._waiting] if self._waiting is not None else []
        queue += [pixel for pixel in self._wanted if pixel not in self._spectra]
        pixel = next((p for p in queue if p.cube not in self._broken), None)
        if pixel is not None:
            if pixel == self._waiting:
                self._waiting = None
            self._under_way = pixel
            self._runner.start(Job("reading a spectrum", partial(_read, pixel)))

    def _on_read(self, result: tuple[Pixel, NDArray[np.float32]]) -> None:
        pixel, spectrum = result
        if pixel in self._wanted:
            self._spectra[pixel] = spectrum
            self.kept.emit()
        if pixel == self._hovered:
            self.hovered.emit(pixel, spectrum)

    def _on_failed(self, error: Exception) -> None:
        if self._under_way is not None:
            self._give_up(self._under_way.cube, error)
        self._go_on()

    def _give_up(self, cube: Cube, error: Exception) -> None:
        if cube not in self._broken:
            self._broken.append(cube)
            self.failed.emit(error)


def _read(pixel: Pixel) -> Iterator[tuple[Pixel, NDArray[np.float32]]]:
    yield pixel, pixel.cube.spectrum(pixel.row, pixel.col)
