"""Opening, saving and leaving studies: what takes time runs in the worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import napari.viewer
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.study.mapping import Progress
from napari_dgc.study.storing.loading import LoadedStudy
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_layers import CUBE_KEY
from napari_dgc.ui.drafts import Draft
from napari_dgc.ui.sample_data import is_sample
from napari_dgc.ui.study_keeping import StudyKeeper
from napari_dgc.ui.study_lock import StudyLock, is_open_elsewhere
from napari_dgc.ui.study_naming import with_suffix
from napari_dgc.ui.study_reading import Found, Opened, read_missing, read_with_layers
from napari_dgc.ui.training_session import TrainingSession
from napari_dgc.ui.worker import Job, Runner

_BUSY = (
    "Wait until the training or mapping is done, or press Stop, then open the study."
)


class StudySession(QObject):
    """Which study is on the screen, and how another one comes there.

    A study that cannot be read leaves the present one as it is.

    Signals
    -------
    changed : ()
        Something else is to be said of the study's file, or of its missing cubes.
    progressed : str, float
        What is being read, and how much of it is (0..1).
    said : str, str
        A line for the user and its level (see `StatusLine.say`).
    failed : Exception
    """

    changed = Signal()
    progressed = Signal(str, float)
    said = Signal(str, str)
    failed = Signal(object)

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        study: Study,
        display: CubeDisplay,
        training: TrainingSession,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._study = study
        self._display = display
        self._training = training
        self._draft: Draft | None = None  # the one being read
        self._note = ""  # what is to be added when "Save as" is done
        self.keeper = StudyKeeper(viewer, study, self)
        self.keeper.changed.connect(self.changed)
        self.keeper.said.connect(self._on_kept)
        self.keeper.failed.connect(self._on_not_kept)
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_read)
        self.runner.failed.connect(self._on_failed)
        self.runner.stopped.connect(self._on_stopped)
        self.runner.running_changed.connect(lambda _: self.changed.emit())

    # -- what the user can do ---------------------------------------------------

    def open(self, path: str | Path) -> None:
        """Read a study in the worker and put it on the screen."""
        path = Path(path).absolute()
        if path == self.keeper.path:
            self.said.emit(f"{path.name} is open already.", "info")
        elif self._is_free() and self._is_ours(path):
            self._start(path)

    def restore(self, draft: Draft) -> None:
        """Go on with a study that was never saved under a name."""
        if not self._is_free():
            return
        if not draft.hold():
            self.said.emit("Another window is at work on that study.", "warning")
            return
        self._draft = draft
        self._start(draft.path)

    def begin(self) -> None:
        """Leave the study for an empty one."""
        if self._is_free() and self._may_leave():
            self._take(None, LoadedStudy())
            self.said.emit("A new study: begin with a cube.", "info")

    def save_as(self, path: str | Path) -> None:
        """Keep the study in this file from now on."""
        path = with_suffix(path).absolute()
        if path != self.keeper.path and not self._is_ours(path):
            return
        try:
            self.keeper.save_as(path)
        except InputError as error:
            self.failed.emit(error)
            return
        nowhere = [c.name for c in self._study.cubes if c.path is None]
        nowhere = [name for name in nowhere if not is_sample(name)]
        one = len(nowhere) == 1
        if nowhere:
            self._note = (
                f"{', '.join(nowhere)} {'is' if one else 'are'} in no file: the study "
                f"keeps {'its map' if one else 'their maps'}, but the pixels must be "
                "opened again. Save the layer to a file to keep them too."
            )

    def cancel(self) -> None:
        """Stop reading; the study on the screen stays what it is."""
        self.runner.stop()

    def find_missing(self, path: str | Path) -> None:
        """Read a missing cube from where it is now, and others beside it."""
        if self._is_free() and self._study.missing:
            job = partial(read_missing, self._study.missing, Path(path))
            self.runner.start(Job("reading a cube", job, _must_arrive))

    def close(self) -> None:
        """Write what is not written; the study stays where it is kept."""
        self.runner.stop()
        self.keeper.close()

    # -- what follows -------------------------------------------------------------

    def _is_free(self) -> bool:
        if self.runner.running or self._training.runner.running:
            self.said.emit(_BUSY, "warning")
            return False
        return True

    def _is_ours(self, path: Path) -> bool:
        if is_open_elsewhere(path):
            self.said.emit(
                f"{path.name} is open in another window; close it there first. (If it "
                f"is not, delete {StudyLock(path).file.name} beside it.)",
                "warning",
            )
            return False
        return True

    def _may_leave(self) -> bool:
        if self.keeper.leave():
            return True
        self.said.emit(
            "The present study could not be written, so it stays. Save it elsewhere "
            "first.",
            "warning",
        )
        return False

    def _start(self, path: Path) -> None:
        self.said.emit(f"Reading {path.name}…", "info")
        job = partial(read_with_layers, path)
        self.runner.start(Job("opening a study", job, _must_arrive))

    def _on_read(self, piece: Any) -> None:
        if isinstance(piece, Progress):
            self.progressed.emit(piece.text, piece.done)
        elif isinstance(piece, Found):
            self._put(piece)
        elif isinstance(piece, Opened):
            self._show(piece)

    def _show(self, opened: Opened) -> None:
        if self._training.runner.running:  # begun while this was read
            self.said.emit(f"Not opened. {_BUSY}", "warning")
        elif self._may_leave():
            draft, self._draft = self._draft, None
            self._take(draft, opened.loaded, opened)
            self._tell(opened.loaded)
        self._release_draft()

    def _on_failed(self, error: Exception) -> None:
        self._release_draft()
        self.failed.emit(error)

    def _on_stopped(self) -> None:
        self._release_draft()
        self.said.emit("Cancelled. The study is what it was.", "info")

    def _release_draft(self) -> None:
        if self._draft is not None:
            self._draft.release()
            self._draft = None

    def _on_not_kept(self, error: Exception) -> None:
        self._note = ""
        self.failed.emit(error)

    def _on_kept(self, text: str, level: str) -> None:
        note, self._note = self._note, ""
        self.said.emit(f"{text} {note}".strip(), "warning" if note else level)

    def _take(
        self, draft: Draft | None, loaded: LoadedStudy, opened: Opened | None = None
    ) -> None:
        self._display.clear()
        self.keeper.take(draft, partial(self._study.adopt, loaded))
        layers = () if opened is None else opened.layers
        for data in (one for cube in layers for one in cube):
            self._viewer.add_layer(Layer.create(*data))
        self._raise_maps()
        shown = loaded.view.shown
        if 0 <= shown < len(self._study.cubes):
            self._display.show(shown)
        self._study.set_view(loaded.view)
        self._training.forget()
        self._viewer.reset_view()
        self.changed.emit()

    def _raise_maps(self) -> None:
        """Put the maps above the pictures that came after them."""
        layers = self._viewer.layers
        for entry in self._display.entries:
            if entry.groups is not None:
                layers.move(layers.index(entry.groups.layer), len(layers))

    def _tell(self, loaded: LoadedStudy) -> None:
        named = loaded.path is not None and self.keeper.path is not None
        name = loaded.path.name if loaded.path is not None and named else ""
        lines = [f"{name} is open." if name else "Your unnamed study is open again."]
        if loaded.moved:
            names = ", ".join(loaded.cubes[i].name for i in loaded.moved)
            lines.append(f"Moved, and found again: {names}.")
        lines += [str(fault) for fault in loaded.faults]
        missing = self._study.missing
        if missing:
            names = ", ".join(reference.name for reference in missing.values())
            lines.append(f"Not where it was: {names}. Press “Find…”, or go on without.")
        level = "warning" if loaded.faults or missing else "good"
        self.said.emit(" ".join(lines), level)

    def _put(self, found: Found) -> None:
        try:
            self._study.locate(found.index, found.cube)
        except InputError as error:
            self.failed.emit(error)
            return
        found.layers[0][1]["metadata"][CUBE_KEY] = self._study.cubes[found.index]
        self._display.relocate(found.index, [Layer.create(*d) for d in found.layers])
        self._raise_maps()
        name = self._study.cubes[found.index].name
        if found.same:
            self.said.emit(f"{name} is there again.", "good")
        else:
            self.said.emit(
                f"{name} is there, but its content is not what it was: its map may not "
                "fit any more. Map it again if in doubt.",
                "warning",
            )
        self.changed.emit()


def _must_arrive(piece: Any) -> bool:
    return not isinstance(piece, Progress)
