"""Splitting one cluster: worked out in the worker, then one step to undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_dgc.merging.grouping import MergeError
from napari_dgc.study.mapping import Progress
from napari_dgc.study.splitting import (
    Divided,
    Whole,
    split_by_pieces,
    split_in_two,
)
from napari_dgc.ui.training_jobs import with_threads
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_BUSY = "Wait until the training or mapping is done, or press Stop, then split."
_AT_WORK = "A cluster is being split already: wait for it, or press Stop."


class Splitting(QObject):
    """Splits clusters of the workspace's study, one at a time.

    Nothing changes before all of a split is worked out; the maps, the image and the
    table then follow at once.

    Signals
    -------
    running_changed : bool

    Parameters
    ----------
    shared : Workspace
    parent : QObject
    """

    running_changed = Signal(bool)

    def __init__(self, shared: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._shared = shared
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.failed.connect(self._on_failed)
        self.runner.stopped.connect(self._on_stopped)
        self.runner.running_changed.connect(self.running_changed)

    def split(self, cluster: int, by_pieces: bool) -> None:
        """Split a cluster in two, or by the connected pieces it is in on the image."""
        shared = self._shared
        if self.runner.running or shared.session.runner.running:
            busy = _AT_WORK if self.runner.running else _BUSY
            shared.status.say(busy, "warning")
            return
        try:
            whole = Whole.of(shared.study, cluster)
        except MergeError as error:
            shared.status.refuse(error)
            return
        job: Callable[[], Iterator[Any]] = partial(split_in_two, whole)
        if by_pieces:
            job = partial(split_by_pieces, whole, shared.display.shown)
        shared.status.say(f"Splitting cluster {cluster}…")
        self.runner.start(
            Job("splitting a cluster", partial(with_threads, job), _must_arrive)
        )

    def stop(self) -> None:
        """End the work before its next piece; nothing has changed then."""
        self.runner.stop()

    def _on_yielded(self, piece: Progress | Divided) -> None:
        status = self._shared.status
        if isinstance(piece, Progress):
            status.say(f"{piece.text}: {piece.done:.0%}")
            return
        if self._shared.session.runner.running:  # begun while this was worked out
            status.say(f"Not split. {_BUSY}", "warning")
            return
        change = self._shared.attempt(lambda: self._shared.study.take_split(piece))
        if change is None:
            return
        # Both halves are lit: what came of it is what one wants to see.
        home = change.after.group_of(piece.split.cluster)
        if change.added:
            self._shared.selection.set({home.id, *change.added})
        else:
            self._shared.selection.set((), piece.split.ids)
        if piece.notice:
            status.say(f"{status.text()} {piece.notice}", "warning")

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, MergeError):
            self._shared.status.refuse(error)
        else:
            self._shared.status.report(error)

    def _on_stopped(self) -> None:
        self._shared.status.say("Stopped. Nothing has changed.")


def _must_arrive(piece: object) -> bool:
    return isinstance(piece, Divided)
