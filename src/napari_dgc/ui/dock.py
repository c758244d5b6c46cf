"""The dock "Deep Global Clustering": everything on the screen, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import napari.viewer
import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.operations import Change
from napari_dgc.study import Study
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cubes_panel import CubesPanel
from napari_dgc.ui.export_panel import ExportPanel
from napari_dgc.ui.gestures import NEXT_SNAPSHOT, SNAPSHOT, Gestures
from napari_dgc.ui.groups_panel import GroupsPanel
from napari_dgc.ui.keys import bind_dock, bind_layer, make_key_box, unbind_layer
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.selection import Selection, follow
from napari_dgc.ui.training_panel import TrainingPanel
from napari_dgc.ui.training_session import TrainingSession
from napari_dgc.ui.wording import word_change

_BEGIN = "Begin with a cube."
_GROUPS_STAY = "The groups stay for the next cube of this sensor."
_WIDTH = 376  # pixels: room for "background" beside a name and a million pixels


class ClusteringDock(QWidget):
    """Cubes in, clusters by training, groups by merging, masks out.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the cubes and maps are shown.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._docked = False
        self._make_state()
        self._make_panels()
        self._lay_out()
        self._connect()
        self._start()

    # -- four steps ---------------------------------------------------------

    def _make_state(self) -> None:
        self.study = Study()
        self.selection = Selection()
        # What was selected at each grouping, for undo and redo to restore.
        self._selections: dict[object, frozenset[int]] = {}
        self.display = CubeDisplay(self._viewer, self.study)
        self.gestures = Gestures(self._viewer, self.study, self.display)
        self.session = TrainingSession(self.study, self.display, self)

    def _make_panels(self) -> None:
        self.status = StatusLine()
        self.cubes = CubesPanel(self._viewer, self.study, self.display, self.status)
        self.training = TrainingPanel(
            self._viewer, self.study, self.session, self.status
        )
        self.groups = GroupsPanel(self.study, self.selection, self.status)
        self.export = ExportPanel(self.study, self.selection, self.status)

    def _lay_out(self) -> None:
        self.setObjectName("dgc_dock")
        self.setMinimumWidth(_WIDTH)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        for panel in (self.cubes, self.training, self.groups, self.export):
            if column.count():
                column.addWidget(_line())
            column.addWidget(panel, stretch=int(panel is self.groups))
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content.setMinimumWidth(1)  # wraps to the dock's width, never beyond it
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(area, stretch=1)
        # Outside the scrolled part: what was just said is always in sight.
        layout.addWidget(self.status)

    def _connect(self) -> None:
        study, display, gestures = self.study, self.display, self.gestures
        study.cubes_changed.connect(self._on_cubes_changed)
        study.map_changed.connect(self._on_map_changed)
        study.grouping_changed.connect(self._on_grouping_changed)
        display.shown_changed.connect(self._on_cube_shown)
        display.layer_made.connect(self._on_layer_made)
        display.refused.connect(self.status.report)
        display.previewing_changed.connect(self._on_previewing_changed)
        self.selection.changed.connect(display.highlight)
        gestures.clicked.connect(self._on_image_clicked)
        gestures.merge_wanted.connect(self._on_image_merge_wanted)
        gestures.pointed.connect(self._on_image_pointed)
        gestures.said.connect(self._on_said)
        gestures.mode_changed.connect(self._on_merging_changed)
        self.cubes.chosen.connect(display.show)
        self.groups.wanted.connect(self.attempt)
        self.groups.merge_mode_wanted.connect(gestures.set_merging)
        self.groups.undo_wanted.connect(self.undo)
        self.groups.redo_wanted.connect(self.redo)
        self.groups.keys_wanted.connect(self.show_keys)
        self.session.said.connect(self.status.say)
        self.session.failed.connect(self.status.report)
        self.session.ended.connect(self.export.refresh)
        self._viewer.events.theme.connect(self._on_theme_changed)

    def _start(self) -> None:
        self._actions: dict[str, Callable[[], object]] = {
            "undo": self.undo,
            "redo": self.redo,
            "toggle_merging": self.gestures.toggle_merging,
            "leave": self.leave,
            "show_keys": self.show_keys,
        }
        bind_dock(self, self._actions)
        # With the window this widget goes first; the layers may outlive it.
        self.destroyed.connect(partial(_let_go, self.display, self.gestures))
        if not self.display.adopt_open_layers():
            self.status.say(_BEGIN)

    # -- what the user can do -------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for a narrow column."""
        return QSize(_WIDTH, 700)

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
        self._go(self.study.undo, "Nothing to undo.")

    def redo(self) -> None:
        """Take the step undone last again."""
        self._go(self.study.redo, "Nothing to redo.")

    def leave(self) -> None:
        """Leave Merge mode; outside it, select nothing."""
        if self.gestures.merging:
            self.gestures.set_merging(False)
        else:
            self.selection.set(())

    def show_keys(self) -> None:
        """Show what keys and mouse do."""
        make_key_box(self).show()

    def _go(self, move: Callable[[], Change | None], otherwise: str) -> None:
        if self.display.previewing:
            self.status.say(SNAPSHOT, "warning")
        elif self.study.history is None or self.attempt(move) is None:
            self.status.say(otherwise)

    # -- what follows from it -------------------------------------------------

    def _on_cubes_changed(self, cubes: tuple) -> None:
        self.cubes.refresh()
        self.training.refresh()
        self.export.refresh()
        self.groups.show_cubes()
        if not cubes:
            self.status.say(_BEGIN if self.study.grouping is None else _GROUPS_STAY)
        elif self.study.model is None and not self.session.runner.running:
            self.status.say("Press First map for a map within seconds.")

    def _on_map_changed(self, index: int) -> None:
        if index == self.display.shown:
            self.display.draw()
            self._count_pixels()
        self.training.refresh()
        self.export.refresh()

    def _on_grouping_changed(self, change: Change | None) -> None:
        self.groups.granularity.end_slide()
        grouping = self.study.grouping
        if change is None:
            self._selections.clear()
            chosen: frozenset[int] = frozenset()
        else:
            # A grouping is a small frozen value: it is its own key.
            self._selections[change.before] = self.selection.ids
            chosen = self._selections.get(change.after) or follow(
                self.selection.ids, change
            )
        self.groups.show_grouping(grouping)
        # The image last but at once: one draw shows the step and the selection.
        self.display.highlight_quietly(chosen)
        self.display.draw()
        self.selection.set(chosen)
        self.groups.table.show_selection()
        if change is not None:
            self.status.say(word_change(change))

    def _on_cube_shown(self, index: int) -> None:
        self.cubes.refresh()
        self.session.set_shown(index)
        self._count_pixels()
        if self.display.previewing:
            self.status.say(NEXT_SNAPSHOT, "info")

    def _on_previewing_changed(self, on: bool) -> None:
        # The table's groups are not those on the image then.
        self.groups.setEnabled(not on)
        if on:
            self.gestures.set_merging(False)

    def _on_layer_made(self, layer: Labels) -> None:
        bind_layer(layer, self._actions)

    def _count_pixels(self) -> None:
        clusters = self.study.cluster_map(self.display.shown)
        statistics = self.study.statistics(self.display.shown)
        if statistics is not None:
            self.groups.model.set_counts(statistics.count)
        elif clusters is not None:
            counts = np.bincount(clusters.ravel(), minlength=256)
            self.groups.model.set_counts(counts)
        else:
            self.groups.model.set_counts(None)

    def _on_image_clicked(self, group: int, adding: bool) -> None:
        self.selection.toggle(group, adding=adding)
        self.status.say(self.groups.model.describe(self.selection.ids))

    def _on_image_merge_wanted(self, source: int, target: int) -> None:
        self.merge((source,), target)

    def _on_image_pointed(self, groups: frozenset[int]) -> None:
        self.display.highlight(groups or self.selection.ids)

    def _on_merging_changed(self, on: bool) -> None:
        self.groups.show_merging(on)
        if on:
            self.selection.set(())  # all colours plain: what merges must be seen

    def _on_said(self, text: str, level: str) -> None:
        self.status.say(text, level or "info")

    def _on_theme_changed(self, event) -> None:
        self.training.plots.set_theme(event.value)

    def event(self, event) -> bool:
        """Notice when napari takes this widget out of its window for good."""
        if event.type() == QEvent.Type.ParentChange:
            if self._docked and self.parent() is None:
                self.shut()
                # Here and now, not by a garbage collection in some thread.
                self.deleteLater()
            self._docked = self.parent() is not None
        return super().event(event)

    def shut(self) -> None:
        """Stop what is running and let go of the viewer; the layers stay."""
        self.session.stop()
        self.gestures.close()
        self.display.close()
        for entry in self.display.entries:
            if entry.groups is not None:
                unbind_layer(entry.groups.layer)


def _let_go(display: CubeDisplay, gestures: Gestures, *_: object) -> None:
    display.close()
    gestures.detach()


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
