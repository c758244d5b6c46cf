"""Keeps the study on the disk: in its file, or in a draft as long as it has none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import napari.viewer
from qtpy.QtCore import QObject, QTimer, Signal

from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.study.storing.autosave import Autosave
from napari_dgc.ui.app_data import remember_study
from napari_dgc.ui.drafts import Draft, new_draft
from napari_dgc.ui.study_lock import StudyLock

_QUIET_MS = 300  # a write that takes no longer is not worth a word
_PATIENCE = 5.0  # seconds that leaving a study waits for the disk


class StudyKeeper(QObject):
    """Saves by itself after each change.

    A study without a file is kept as a `Draft` from its first model on. Another
    window, or the next start, offers it again.

    Signals
    -------
    changed : ()
        What is to be said of the file is something else now.
    said : str, str
        A line for the user and its level (see `StatusLine.say`).
    failed : InputError
        The first write that failed after one that did not, or a "Save as".
    """

    changed = Signal()
    said = Signal(str, str)
    failed = Signal(object)
    _wrote = Signal(object)
    _missed = Signal(object)

    def __init__(
        self, viewer: napari.viewer.Viewer, study: Study, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._study = study
        self._draft: Draft | None = None
        self._before: Path | None = None  # where it was before "Save as"
        self._asked: Path | None = None  # where "Save as" shall put it
        self._held: Path | None = None
        self._lock: StudyLock | None = None  # of the study's own file
        self._closed = False
        self.error: InputError | None = None
        self.saved_at: datetime | None = None  # the file's own time
        self.untouched = False  # since it was opened
        self.autosave = Autosave(study)
        # From the writing thread to the screen's.
        self.autosave.saved.connect(self._wrote.emit)
        self.autosave.failed.connect(self._missed.emit)
        self._wrote.connect(self._on_wrote)
        self._missed.connect(self._on_missed)
        self._slow = self._make_timer(_QUIET_MS, self.changed.emit)
        self._resume = self._make_timer(0, self._on_resumed)
        study.model_changed.connect(self._on_model_changed)
        study.path_changed.connect(self._on_path_changed)
        for signal in (
            study.path_changed,
            study.cubes_changed,
            study.map_changed,
            study.grouping_changed,
            study.view_changed,
        ):
            signal.connect(self._on_study_changed)
        viewer.layers.events.removing.connect(self._on_layer_removing)

    def _make_timer(self, milliseconds: int, slot: Callable[[], object]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

    # -- what there is to say ---------------------------------------------------

    @property
    def path(self) -> Path | None:
        """The study's own file; None while it has no name."""
        path = self._held or self._study.path
        return None if self._is_draft(path) else path

    @property
    def place(self) -> Path | None:
        """Where it is kept, if only as a draft."""
        return self._held or self._study.path

    @property
    def pending(self) -> bool:
        """Whether something is not on disk yet."""
        return self.autosave.pending

    def _is_draft(self, path: Path | None) -> bool:
        return self._draft is not None and path == self._draft.path

    # -- what the user can do ---------------------------------------------------

    def save(self) -> None:
        """Write now what may not be written yet; needs a file."""
        self.autosave.save()
        self.said.emit("Everything is saved, and will be after each step.", "good")

    def save_as(self, path: Path) -> None:
        """Keep the study in this file from now on.

        Raises
        ------
        InputError
            If the name cannot be a study's.
        """
        before, path = self._study.path, path.absolute()
        self.autosave.save(path)
        self._before, self._asked, self.error = before, path, None
        self.changed.emit()

    # -- another study ------------------------------------------------------------

    def leave(self) -> bool:
        """Have all of this study on disk before another one comes; False if not."""
        self._resume.stop()
        if self._held is not None:
            self._on_resumed()
        return self._study.path is None or self.autosave.flush(_PATIENCE)

    def take(self, draft: Draft | None, adopt: Callable[[], object]) -> None:
        """Let go of the draft there is, and become what `adopt` makes of the study.

        Parameters
        ----------
        draft : Draft, optional
            The one that is read, held already.
        adopt : callable
        """
        old, worthless = self._draft, self._is_worthless()
        # Its layers may be closed already: where it was kept is not to be resumed.
        self._resume.stop()
        self._held = self._study.path = None
        self._draft, self._asked, self.error = draft, None, None
        adopt()
        self._let_go(old, worthless)
        path = self._study.path
        if path is None:
            self._lock_only(None)
        else:
            self.saved_at, self.untouched = _time_of(path), True
            if draft is None:
                remember_study(path)
        self.changed.emit()

    def close(self) -> None:
        """Write what is not written, and follow the study no longer."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(RuntimeError):  # Qt's timers may be gone already
            self._resume.stop()
        # Emptied while its window was closing: not so on disk.
        self._held = None
        for signal in (self.autosave.saved, self.autosave.failed):
            signal.disconnect()
        self.autosave.close(_PATIENCE)
        self._viewer.layers.events.removing.disconnect(self._on_layer_removing)
        self._study.model_changed.disconnect(self._on_model_changed)
        self._study.path_changed.disconnect(self._on_path_changed)
        draft, self._draft = self._draft, None
        self._let_go(draft, self._is_worthless())
        self._lock_only(None)

    def _is_worthless(self) -> bool:
        """Whether the study is nothing but a first map: made again in seconds."""
        history, model = self._study.history, self._study.model
        steps = 0 if history is None else len(history.steps)
        if self._study.earlier or self._study.later:
            return False  # there is a way to another model, and its steps
        return not steps and (model is None or not model.steps_done)

    @staticmethod
    def _let_go(draft: Draft | None, worthless: bool) -> None:
        if draft is not None:
            (draft.discard if worthless else draft.release)()

    def _lock_only(self, path: Path | None) -> None:
        if self._lock is not None:
            self._lock.release()
        self._lock = None if path is None else StudyLock(path)
        if self._lock is not None:
            self._lock.hold()  # who opens or saves has asked `is_open_elsewhere`

    # -- what follows ---------------------------------------------------------------

    def _on_model_changed(self, model: object) -> None:
        nameless = self._study.path is None and self._held is None
        if model is None or not nameless or self._study.adopting:
            return
        try:
            self._draft = new_draft()
        except InputError as error:
            self._on_missed(error)
        else:
            self._study.path = self._draft.path

    def _on_path_changed(self, path: Path | None) -> None:
        # None is for a moment only, or `take` tells.
        if path is not None and (self._lock is None or self._lock.path != path):
            self._lock_only(None if self._is_draft(path) else path)

    def _on_study_changed(self, _: object) -> None:
        if self._held is None and not self._slow.isActive():
            self._slow.start()

    def _on_wrote(self, path: Path) -> None:
        if path != self._study.path:
            return
        before, self.saved_at, self.error = self.saved_at, _time_of(path), None
        # What says the same is not written again, nor is there anything to tell.
        self.untouched = self.untouched and self.saved_at == before
        if path == self._asked:
            self._asked = None
            remember_study(path)
            if not self._is_draft(path):
                self._let_go(self._draft, True)
                self._draft = None
            folder = path.name.removesuffix(".json")
            self.said.emit(
                f"Saved as {path.name}; every later step is saved by itself. The "
                f"folder {folder} beside it belongs to it.",
                "good",
            )
        self.changed.emit()

    def _on_missed(self, error: InputError) -> None:
        if self._asked is not None and self._asked == self._study.path:
            # Where it was before, it can be kept on.
            self._study.path, self._asked = self._before, None
            self.failed.emit(error)
        else:
            first, self.error = self.error is None, error
            if first:
                self.failed.emit(error)
        self.changed.emit()

    def _on_layer_removing(self, event) -> None:
        """Write nothing until it is plain that the window is not just closing.

        `Viewer.close` removes all layers first, and with their layers cubes and pins
        leave the study: the file must not follow that.
        """
        if self._study.path is not None:
            self._held = self._study.path
            self._study.path = None
            self._resume.start()

    def _on_resumed(self) -> None:
        path, self._held = self._held, None
        # A plugin is handed a proxy that warns of what is private.
        window = getattr(self._viewer, "__wrapped__", self._viewer).window
        open_still = getattr(window, "_qt_window", None) is not None
        if path is not None and self._study.path is None and open_still:
            self._study.path = path


def _time_of(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime)
    except OSError:
        return None
