"""Cubes on the screen prepared otherwise, in a worker: calibrated, fewer bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.study.calibrating.preparing import PreparedCube, outdated, take
from napari_dgc.study.mapping import Progress
from napari_dgc.ui.cube_entry import renew_entry
from napari_dgc.ui.cube_layers import contrast_limits
from napari_dgc.ui.preparation_wording import word_prepared
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_BUSY = "Wait until the training or mapping is done, or press Stop, then try again."
_STILL = "Cubes are being prepared already."
_STOPPED = "Stopped. Nothing has changed."

Work = Callable[[], Iterator[Progress | PreparedCube]]


@dataclass(frozen=True, slots=True, eq=False)
class _Pictured:
    """A prepared cube with what its layers show."""

    prepared: PreparedCube
    limits: tuple[float, float]
    picture: NDArray[np.uint8]


class Preparation(QObject):
    """Prepares cubes in a worker, then swaps all of them at once.

    Signals
    -------
    progressed : (str, float)
        What is being done and how far it is, 0..1.
    ended : list of PreparedCube
        Those taken over; empty where it failed or was stopped.
    """

    progressed = Signal(str, float)
    ended = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._done: list[_Pictured] = []
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.failed.connect(self._on_failed)
        self.runner.stopped.connect(self._on_stopped)
        self.runner.succeeded.connect(self._on_succeeded)

    @property
    def refusal(self) -> str:
        """Why nothing can be prepared just now; "" where it can."""
        if self._workspace.session.runner.running:
            return _BUSY
        return _STILL if self.runner.running else ""

    def start(self, name: str, work: Work) -> bool:
        """Prepare cubes; returns whether it could begin."""
        refusal = self.refusal
        if refusal:
            self._workspace.status.say(refusal, "warning")
            return False
        self._done.clear()
        self.runner.start(Job(name, partial(_pictured, work), _is_result))
        return True

    def stop(self) -> None:
        """End what is under way; nothing has changed then."""
        self.runner.stop()

    def _on_yielded(self, piece: Any) -> None:
        if isinstance(piece, Progress):
            self.progressed.emit(piece.text, piece.done)
        else:
            self._done.append(piece)

    def _on_succeeded(self) -> None:
        shared = self._workspace
        if shared.session.runner.running:  # begun meanwhile, with the cubes as they are
            shared.status.say(_BUSY, "warning")
            self.ended.emit([])
            return
        entries = shared.display.entries
        for one in self._done:
            at = one.prepared.index
            if at < len(entries) and entries[at].cube is one.prepared.before:
                entry = entries[at]
                renew_entry(entry, one.prepared.cube, one.limits)
                shared.colors.renew(entry, one.picture)
        done = [one.prepared for one in self._done]
        take(shared.study, done)
        self._done.clear()
        shared.status.say(*word_prepared(outdated(shared.study), done))
        self.ended.emit(done)

    def _on_failed(self, error: Exception) -> None:
        self._workspace.status.report(error)
        self.ended.emit([])

    def _on_stopped(self) -> None:
        self._workspace.status.say(_STOPPED)
        self.ended.emit([])


def _pictured(work: Work) -> Iterator[Progress | _Pictured]:
    for piece in work():
        if isinstance(piece, PreparedCube):
            cube = piece.cube
            yield _Pictured(piece, contrast_limits(cube), pseudo_rgb(cube))
        else:
            yield piece


def _is_result(piece: Any) -> bool:
    return isinstance(piece, _Pictured)
