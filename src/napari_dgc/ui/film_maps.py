"""Maps of cubes that were not on show while a training went on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.study.previews import preview_all
from napari_dgc.ui.training_jobs import with_threads
from napari_dgc.ui.worker import Job, Runner

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


class FilmMaps(QObject):
    """Lets a worker map a cube's thumbnail with the models of a film.

    Signals
    -------
    mapped : Preview
        One of the maps asked for.
    free : ()
        It has ended, whether or not all were made: another cube may be asked for.
    failed : Exception
        The cube could not be mapped; it is not tried again until `forget`.
    """

    mapped = Signal(object)
    free = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._cube: Cube | None = None  # at work, or the latest
        self._refused: Cube | None = None
        self._runner = Runner(self)
        self._runner.yielded.connect(self.mapped)
        self._runner.failed.connect(self._on_failed)
        self._runner.succeeded.connect(self.free)
        self._runner.stopped.connect(self.free)

    @property
    def running(self) -> bool:
        """Whether a cube is being mapped."""
        return self._runner.running

    def ask(self, models: Iterable[Model], cube: Cube, place: int, device: str) -> None:
        """Map a cube with these models, in this order, unless one is being mapped."""
        if not self._runner.running and cube is not self._refused:
            self._cube = cube
            job = partial(preview_all, [*models], cube, index=place, device=device)
            self._runner.start(Job("mapping snapshots", partial(with_threads, job)))

    def stop(self) -> None:
        """End it before the next map."""
        self._runner.stop()

    def forget(self) -> None:
        """Try again what has failed: there is another film."""
        self._refused = None

    def _on_failed(self, error: Exception) -> None:
        self._refused = self._cube
        self.failed.emit(error)
        self.free.emit()
