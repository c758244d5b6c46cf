"""A study's file follows the study: written after each change, beside the screen.

The promise: killed at any moment, a study lacks at most its last operation. That
operation is *under way* until the file that holds it is on disk, some milliseconds
after it was taken; the next one is not taken before (`Study.stepping` is where it
waits). A hand is never that fast; a key held down is slowed to the disk's pace. A
slider on the move is one operation, so its positions do not wait for each other.

So that a disk that hangs does not make the screen hang, an operation waits for
`patience` seconds at most, and not at all while writing fails: that is told through
`failed`, and then more than the last operation can be lost.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.storing.snapshot import Snapshot
from napari_dgc.study.storing.writer import StudyWriter, check_study_path
from napari_dgc.study.study import Study

_Job = tuple[int, Snapshot, StudyWriter]


class Autosave:
    """Writes a study after each change, in a thread of its own.

    Nothing is written while `Study.path` is None. Once it is set (`save`,
    `save_study`, or a study that was opened), each step, undo, redo, new map, new
    model, new cube, change of the view and of the leaves is on disk some milliseconds
    later. New maps follow one by one: an operation does not wait until all are written.

    Both signals come **from the writing thread**: the screen hands them over to its own
    (connect them to a Qt signal's `emit`).

    Attributes
    ----------
    saved : Signal
        The path, each time all there is to write is on disk.
    failed : Signal
        The `InputError`, each time a write fails. It is tried again at the next change,
        and by `save`, `flush` and `close`.

    Parameters
    ----------
    study : Study
    patience : float
        Seconds that an operation waits for the one before it to be on disk.
    """

    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, study: Study, *, patience: float = 0.25) -> None:
        self._study = study
        self._patience = patience
        self._state = threading.Condition()
        # All that follows is read and written under `_state` alone.
        # The latest of each file: a study left for another is still written.
        self._jobs: dict[Path, _Job] = {}
        self._busy = False
        self._wanted = 0  # number of the latest job
        self._stepped = 0  # number of the latest after an operation
        self._recorded = 0  # up to here, the study's file is on disk
        self._error: InputError | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        self._connections: list[tuple[Any, Any]] = [
            (study.stepping, self._on_stepping),
            (study.grouping_changed, self._on_stepped),
            (study.cubes_changed, self._on_changed),
            (study.model_changed, self._on_changed),
            (study.map_changed, self._on_changed),
            (study.stability_changed, self._on_changed),
            (study.view_changed, self._on_changed),
            (study.leaves_changed, self._on_changed),
            (study.path_changed, self._on_changed),
        ]
        for signal, slot in self._connections:
            signal.connect(slot)

    @property
    def pending(self) -> bool:
        """Whether there is something that is not on disk."""
        with self._state:
            return not self._idle or self._error is not None

    @property
    def error(self) -> InputError | None:
        """Why the last write failed; None if it did not."""
        with self._state:
            return self._error

    def save(self, path: str | Path | None = None) -> None:
        """Write now, or to another place from now on; returns at once.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Becomes `Study.path`; an existing file there is replaced (and kept as
            `.bak`).

        Raises
        ------
        InputError
            If the path does not end in `.dgc.json`, or there is neither a path nor
            `Study.path`.
        """
        if path is not None:
            self._study.path = check_study_path(path).absolute()
        elif self._study.path is None:
            raise InputError("study", "it has no file yet", "save it under a name")
        self._request()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all is on disk; False if time ran out or the write failed."""
        if self.error is not None:
            self._request()
        with self._state:
            done = self._state.wait_for(lambda: self._idle, timeout)
            return done and self._error is None

    def close(self, timeout: float | None = None) -> bool:
        """`flush`, then end the thread and follow the study no longer."""
        for signal, slot in self._connections:
            signal.disconnect(slot, missing_ok=True)
        done = self.flush(timeout)
        with self._state:
            self._closing = True
            self._state.notify_all()
        if self._thread is not None and done:
            self._thread.join()
        return done

    @property
    def _idle(self) -> bool:
        return not self._jobs and not self._busy

    # -- on the study's thread --------------------------------------------------

    def _on_stepping(self) -> None:
        with self._state:
            self._state.wait_for(
                lambda: self._error is not None or self._recorded >= self._stepped,
                self._patience,
            )

    def _on_stepped(self, _: object = None) -> None:
        self._request(step=True)

    def _on_changed(self, _: object = None) -> None:
        self._request()

    def _request(self, *, step: bool = False) -> None:
        path = self._study.path
        if path is None or self._study.adopting:
            return
        writer = self._study.writer
        snapshot = Snapshot.of(self._study, next(writer.numbers))
        with self._state:
            self._wanted += 1
            self._jobs[path] = self._wanted, snapshot, writer
            if step:
                self._stepped = self._wanted
            self._error = None
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="autosave", daemon=True
                )
                self._thread.start()
            self._state.notify_all()

    # -- on the writing thread ----------------------------------------------------

    def _run(self) -> None:
        while self._write_next():
            pass

    def _write_next(self) -> bool:
        """Wait for a job and do it; False if there will be none any more."""
        with self._state:
            self._state.wait_for(lambda: self._jobs or self._closing)
            if not self._jobs:
                return False
            path = next(iter(self._jobs))
            job = self._jobs.pop(path)
            self._busy = True
        told: InputError | None = None
        complete = False
        try:
            complete = self._write(job, path)
        except InputError as error:
            told = error
        except Exception as error:  # whatever it is: the screen must know
            fault = f"cannot be written ({type(error).__name__}: {error})"
            told = InputError(path, fault, "save it elsewhere")
        with self._state:
            if path not in self._jobs:  # else that one may fare better
                self._error = told
            self._busy = False
            self._state.notify_all()
        if told is not None:
            self.failed.emit(told)
        elif complete:
            self.saved.emit(path)
        return True

    def _write(self, job: _Job, path: Path) -> bool:
        """Write the record, then map by map; False if there is newer work."""
        number, snapshot, writer = job
        # A record must not say so of a map that is not split, nor lack the maps of a
        # model that has taken the place of another one with maps.
        if snapshot.is_split or snapshot.earlier:
            for index in writer.unwritten(snapshot, path):
                writer.write_maps(snapshot, index, path)
        writer.write_record(snapshot, path)
        with self._state:
            self._recorded = max(self._recorded, number)
            self._state.notify_all()
        unwritten = writer.unwritten(snapshot, path)
        for index in unwritten:
            writer.write_maps(snapshot, index, path)
            with self._state:
                if path in self._jobs:
                    return False
        if unwritten:
            writer.write_record(snapshot, path)
        return True
