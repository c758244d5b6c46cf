"""What the panels of one window share: the study, its display, and its verbs."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import napari.viewer
from psygnal import Signal
from qtpy.QtCore import QObject

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping, MergeError
from napari_dgc.merging.operations import Change
from napari_dgc.study import Study
from napari_dgc.ui.canvas import SafeRemoval
from napari_dgc.ui.covering import Covering
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.film_wording import word_swapped
from napari_dgc.ui.gestures import Gestures
from napari_dgc.ui.hover import Hover
from napari_dgc.ui.label_layer import Looks
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.picture_colors import PictureColors
from napari_dgc.ui.pointer import Pointer
from napari_dgc.ui.readout import Readout
from napari_dgc.ui.recipe_applying import RecipeApplying
from napari_dgc.ui.selection import Selection, follow, settle
from napari_dgc.ui.study_session import StudySession
from napari_dgc.ui.training_session import TrainingSession
from napari_dgc.ui.visibility import Visibility
from napari_dgc.ui.wording import word_change

_NO_FEWER = "There can be no fewer groups: locked ones stay as they are."
_WORKING = "Wait until the training or mapping is done, or press Stop, then undo."
_NO_MORE = "There can be no more groups: what was merged by hand stays together."


class Workspace:
    """One study on one viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the cubes and maps are shown.
    status : StatusLine
        Where the user is told what happened.
    parent : QObject
        Owns the worker's Qt objects.

    Attributes
    ----------
    regrouping, regrouped : Signal
        Emitted with the `Change`, or None for a new history: before the image
        follows it, which is drawn once, and after it has.
    """

    regrouping = Signal(object)
    regrouped = Signal(object)

    def __init__(
        self, viewer: napari.viewer.Viewer, status: StatusLine, parent: QObject
    ) -> None:
        self.viewer = viewer
        self.status = status
        self.study = Study()
        self.selection = Selection()
        self.visibility = Visibility(self.study)
        # What was selected at each grouping, for undo and redo to restore; gone
        # when the history drops the grouping.
        self._selections: WeakKeyDictionary[
            Grouping, tuple[frozenset[int], frozenset[int]]
        ] = WeakKeyDictionary()
        self.display = CubeDisplay(viewer, self.study)
        self.covering = Covering(viewer, self.display)
        self.removal = SafeRemoval(viewer)
        self.pointer = Pointer(viewer, self.study, self.display)
        self.gestures = Gestures(viewer, self.study, self.display, self.pointer)
        self.hover = Hover(
            viewer, self.study, self.display, self.pointer, self.gestures
        )
        self.readout = Readout(
            viewer, self.study, self.display, self.pointer, self.gestures
        )
        self.colors = PictureColors(viewer, self.study, self.display, parent)
        self.session = TrainingSession(self.study, self.display, parent)
        self.recipes = RecipeApplying(self, parent)
        self.studies = StudySession(
            viewer, self.study, self.display, self.session, parent
        )
        self._connect()

    def _connect(self) -> None:
        self.study.grouping_changed.connect(self._on_grouping_changed)
        self.visibility.changed.connect(self._on_visibility_changed)
        self.display.refused.connect(self.status.report)
        self.selection.changed.connect(self._on_selection_changed)
        gestures = self.gestures
        gestures.merge_wanted.connect(self._on_image_merge_wanted)
        gestures.pointed.connect(self.point)
        gestures.said.connect(self._on_said)
        self.session.said.connect(self.status.say)
        self.colors.said.connect(self.status.say)
        self.session.failed.connect(self.status.report)
        self.studies.said.connect(self.status.say)
        self.studies.failed.connect(self.status.report)

    # -- what the user can do -------------------------------------------------

    def attempt(self, step: Callable[[], Change | None]) -> Change | None:
        """Take a step on the groups; a refusal is told, with its reason."""
        try:
            return step()
        except MergeError as error:
            self.status.refuse(error)
        except InputError as error:
            self.status.report(error)
        return None

    def merge(self, sources: tuple[int, ...], target: int) -> None:
        """Merge groups into a target."""
        self.attempt(lambda: self.study.merge(sources, target))

    def undo(self) -> None:
        """Take the last step back."""
        if not self._is_refused(self.study.undo_replaces):
            self._go(self.study.undo, "Nothing to undo.")

    def redo(self) -> None:
        """Take the step undone last again."""
        if not self._is_refused(self.study.redo_replaces):
            self._go(self.study.redo, "Nothing to redo.")

    def _is_refused(self, replaces: bool) -> bool:
        """Whether a step brings another model, while one is at work for this one."""
        if replaces and self.session.runner.running:
            self.status.say(_WORKING, "warning")
            return True
        return False

    def leave(self) -> None:
        """Leave Merge mode; outside it, select nothing."""
        if self.gestures.merging:
            self.gestures.set_merging(False)
        else:
            self.selection.set(())

    def slide(self, step: Callable[[int], bool], by: int) -> None:
        """Ask for some groups more or fewer, by the granularity's `step`."""
        if self.display.previewing:
            self.status.say(self.gestures.snapshot_note, "warning")
        elif not step(by):
            self.status.say(_NO_FEWER if by < 0 else _NO_MORE)

    def point(self, groups: frozenset[int]) -> None:
        """Highlight groups on the image for a while; none: those selected."""
        if groups:
            self.display.highlight(groups)
        else:
            self._on_selection_changed(self.selection.ids)

    def _go(self, move: Callable[[], Change | None], otherwise: str) -> None:
        if self.display.previewing:
            self.status.say(self.gestures.snapshot_note, "warning")
            return
        model = self.study.model
        change = None if model is None else self.attempt(move)
        if change is None:
            self.status.say(otherwise)
        elif self.study.model is not model:
            self.status.say(word_swapped(change.text, len(change.after.groups)))

    # -- what follows from it -------------------------------------------------

    def _on_grouping_changed(self, change: Change | None) -> None:
        if change is None:
            self._selections.clear()
            chosen, members = frozenset[int](), frozenset[int]()
        else:
            ids, members = self.selection.ids, self.selection.members
            # A grouping is a small frozen value: it is its own key.
            self._selections[change.before] = ids, members
            kept = self._selections.get(change.after)
            if kept is not None and any(kept):
                ids, members = kept
            else:
                ids = follow(ids, change)
            chosen, members = settle(ids, members, change.after)
        self.regrouping.emit(change)
        # The image last but at once: one draw shows the step and the selection.
        self.display.set_looks(Looks(chosen, self.visibility.hidden, members))
        self.display.draw()
        self.selection.set(chosen, members)
        self.regrouped.emit(change)
        if change is not None:
            self.status.say(word_change(change))

    def _on_visibility_changed(self) -> None:
        self.display.hide(self.visibility.hidden)

    def _on_image_merge_wanted(self, source: int, target: int) -> None:
        self.merge((source,), target)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        self.display.highlight(ids, self.selection.members)

    def _on_said(self, text: str, level: str) -> None:
        self.status.say(text, level or "info")

    def detach(self) -> None:
        """Let go of the viewer; with the window all of this goes."""
        self.studies.keeper.close()
        self.covering.detach()
        self.removal.detach()
        self.display.close()
        for part in (self.hover, self.readout, self.pointer, self.gestures):
            part.detach()

    def close(self) -> None:
        """Stop what is running and let go of the viewer; the layers stay."""
        self.studies.close()
        self.session.stop()
        self.recipes.stop()
        self.colors.stop()
        self.gestures.set_merging(False)
        self.detach()
