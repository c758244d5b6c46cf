"""Long work beside the screen: one job at a time, stoppable, never silent.

napari's own generator worker loses a RuntimeError (it takes it for a deleted
worker), leaves the generator open after `quit`, and sends every value across
threads. This one, made of the same public base class, does none of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from napari.qt.threading import GeneratorWorkerSignals, WorkerBase, create_worker
from qtpy.QtCore import QObject, Signal

from napari_dgc.ui.endings import when_destroyed

YIELDS_PER_SECOND = 10


class WorkError(Exception):
    """A RuntimeError inside a job, under a name that Qt's workers let through.

    Its `__cause__` is the error itself.
    """


class Job:
    """What a worker shall do, with a name for napari's list of tasks.

    Parameters
    ----------
    name : str
        Shown where napari asks before closing a window at work.
    start : callable
        Makes the iterator; called, like the iterator, in the worker's thread.
    keep : callable, optional
        Says of a yielded value whether it must never be dropped.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Iterator[Any]],
        keep: Callable[[Any], bool] = lambda piece: True,
    ) -> None:
        self.name = name
        self.start = start
        self.keep = keep

    def __str__(self) -> str:
        return self.name


class JobWorker(WorkerBase):
    """Runs a `Job` in Qt's thread pool.

    Signals are those of napari's generator workers: `started`, `yielded`,
    `returned`, `errored`, `aborted`, `finished`. Values that the job does not
    ask to keep are yielded at most ten times a second, the latest last.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(SignalsClass=GeneratorWorkerSignals)
        self._job = job

    def work(self) -> None:
        """Iterate until the end, an error or `quit`; close the iterator."""
        pieces: Iterator[Any] | None = None
        try:
            pieces = self._job.start()
            self._forward(pieces)
        except RuntimeError as error:
            raise WorkError(str(error) or type(error).__name__) from error
        finally:
            if isinstance(pieces, Generator):
                pieces.close()

    def _forward(self, pieces: Iterator[Any]) -> None:
        shortest = 1 / YIELDS_PER_SECOND
        last, held = 0.0, None
        for piece in pieces:
            if self.abort_requested:
                self.aborted.emit()
                return
            now = time.monotonic()
            if self._job.keep(piece) or now - last >= shortest:
                self.yielded.emit(piece)
                last, held = now, None
            else:
                held = piece
        if held is not None:
            self.yielded.emit(held)
        if self.abort_requested:  # asked for during the very last piece
            self.aborted.emit()


class Runner(QObject):
    """Runs one job at a time and tells how it went, on the screen's thread.

    Signals
    -------
    yielded : object
        A value of the job.
    failed : Exception
        The job ended with this error; a `WorkError` where it was RuntimeError.
    stopped : ()
        The job ended because `stop` was called.
    succeeded : ()
        The job ended by itself.
    running_changed : bool
        Emitted after start and at every kind of end.
    """

    yielded = Signal(object)
    failed = Signal(object)
    stopped = Signal()
    succeeded = Signal()
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: JobWorker | None = None
        self._outcome: Callable[[], None] | None = None
        # Plain Python, so that it is still there when this object is not.
        self._holder: list[JobWorker] = []
        when_destroyed(self, partial(_quit_all, self._holder))

    @property
    def running(self) -> bool:
        """Whether a job is at work (a stopping one is)."""
        return self._worker is not None

    def start(self, job: Job) -> None:
        """Start a job.

        Raises
        ------
        ValueError
            If one is running.
        """
        if self._worker is not None:
            raise ValueError(f"{self._worker._job} is still at work; stop it first")
        worker = create_worker(
            job,
            _worker_class=JobWorker,
            _start_thread=False,
            _ignore_errors=True,  # we tell the user ourselves
        )
        with suppress(TypeError, RuntimeError):  # without a viewer there is none
            # napari's slot takes no error and fails under PySide6; that of `finished`
            # comes after it and says as much.
            worker.errored.disconnect()
        worker.yielded.connect(self._on_worker_yielded)
        worker.errored.connect(self._on_worker_errored)
        worker.aborted.connect(self._on_worker_aborted)
        worker.finished.connect(self._on_worker_finished)
        self._worker, self._outcome = worker, None
        self._holder[:] = [worker]
        worker.start()
        self.running_changed.emit(True)

    def stop(self) -> None:
        """Ask the job to end before its next piece of work."""
        if self._worker is not None:
            self._worker.quit()

    def _on_worker_yielded(self, piece: object) -> None:
        if self._worker is None:
            return
        if not self._worker.abort_requested:
            self.yielded.emit(piece)
        elif self._outcome is None:
            # What was under way when Stop was pressed is no longer wanted; even if the
            # worker had ended by then, this job has not.
            self._outcome = self.stopped.emit

    def _on_worker_errored(self, error: Exception) -> None:
        self._outcome = partial(self.failed.emit, error)

    def _on_worker_aborted(self) -> None:
        self._outcome = self.stopped.emit

    def _on_worker_finished(self) -> None:
        self._worker = None
        self._holder.clear()
        tell = self._outcome or self.succeeded.emit
        self._outcome = None
        self.running_changed.emit(False)
        tell()


def _quit_all(workers: list[JobWorker]) -> None:
    for worker in workers:
        worker.quit()
