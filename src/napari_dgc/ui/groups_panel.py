"""The groups: Merge mode, undo and redo, the tree, granularity, and the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton

from napari_dgc.merging.grouping import Grouping
from napari_dgc.study import Study
from napari_dgc.ui.dendrogram import DendrogramView
from napari_dgc.ui.film_wording import word_replacing
from napari_dgc.ui.granularity import GranularitySlider
from napari_dgc.ui.group_model import Column, GroupModel
from napari_dgc.ui.group_table import GroupTable
from napari_dgc.ui.group_tools import GroupTools
from napari_dgc.ui.notices import StatusLine, WrappedLabel
from napari_dgc.ui.section import FoldButton, Section
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.stability import StabilityOverlay
from napari_dgc.ui.stability_column import place_column, show_column
from napari_dgc.ui.suggestions_panel import SuggestionsPanel
from napari_dgc.ui.visibility import Visibility
from napari_dgc.ui.wording import word_step

_EMPTY = (
    "Groups appear here with the first map. Then click on the image to select, and "
    "drag rows onto a row to merge."
)
_NO_MEMBER = (
    "Select what shall come out: open a group by the arrow beside it, then click on "
    "a cluster below it."
)
_TREE_HEIGHT = 80  # pixels
_TABLE_HEIGHT = 128  # pixels: five rows and the header
_MERGING = "QPushButton:checked { background: #e69f00; color: black; }"


class GroupsPanel(Section):
    """Shows a grouping and passes on what the user wants done to it.

    Signals
    -------
    wanted : callable
        A step to attempt: takes it when called, raises MergeError if refused.
    merge_mode_wanted : bool
    spectra_wanted : bool
    undo_wanted, redo_wanted, keys_wanted : ()
    """

    wanted = Signal(object)
    merge_mode_wanted = Signal(bool)
    spectra_wanted = Signal(bool)
    undo_wanted = Signal()
    redo_wanted = Signal()
    keys_wanted = Signal()

    def __init__(
        self,
        study: Study,
        selection: Selection,
        visibility: Visibility,
        status: StatusLine,
    ) -> None:
        super().__init__("Groups")
        self._study = study
        self._selection = selection
        self._visibility = visibility
        self._status = status
        self.model = GroupModel(self)
        self.table = GroupTable(self.model, selection, visibility)
        place_column(self.table, Column.STABLE, Column.PIXELS)
        self.tools = GroupTools(study, selection, visibility, status)
        self.suggestions = SuggestionsPanel(study, selection, status)
        self.dendrogram = DendrogramView(selection)
        self.granularity = GranularitySlider(study, status.refuse)
        self._make_buttons()
        self._lay_out()
        self._connect()
        self.table.said.connect(status.say)
        self.show_grouping(None)

    def show_grouping(self, grouping: Grouping | None) -> None:
        """Follow the study's grouping."""
        self.table.show_grouping(grouping)
        self._on_visibility_changed()
        self.tools.refresh()
        self.dendrogram.show_grouping(self._study.tree, grouping)
        self.granularity.show_grouping(grouping)
        there = grouping is not None
        self.empty.setVisible(not there)
        for widget in (self.table, self.tools, self.granularity, self.tree_arrow):
            widget.setVisible(there)
        self.dendrogram.setVisible(there and self.tree_arrow.isChecked())
        self.suggestions.setVisible(there)
        self.suggestions.follow()
        self.show_cubes()
        history = self._study.history
        undo = word_step(history.last) if history is not None else ""
        redo = word_step(history.next) if history is not None else ""
        undo, redo = word_replacing(self._study, undo, redo)
        self.undo_button.setEnabled(bool(undo))
        self.redo_button.setEnabled(bool(redo))
        self.undo_button.setToolTip(_tip("Undo", undo, "Ctrl+Z"))
        self.redo_button.setToolTip(_tip("Redo", redo, "Ctrl+Shift+Z"))

    def show_cubes(self) -> None:
        """Offer Merge mode only where there is an image to merge on."""
        there = self._study.grouping is not None and bool(self._study.cubes)
        self.merge_button.setEnabled(there)

    def count_pixels(self, shown: int) -> None:
        """Count the groups' pixels in the cube shown; in all of them when asked."""
        study, cubes = self._study, self._study.cubes
        name = cubes[shown].name if 0 <= shown < len(cubes) else ""
        self.model.set_counts(study.counts(shown), name, self._count_all)

    def _count_all(self) -> list[NDArray[np.int64]]:
        every = (self._study.counts(i) for i in range(len(self._study.cubes)))
        return [counts for counts in every if counts is not None]

    def angle(self, sources: Sequence[int], target: int) -> float:
        """Angle between groups and a target in degrees, as suggestions tell it."""
        return self.suggestions.queue.angle(sources, target)

    def take_out(self) -> None:
        """Make the selected clusters groups of their own."""
        if not self.isEnabled():
            return
        if self._selection.members:
            self.model.apart_wanted.emit(tuple(sorted(self._selection.members)))
        elif self._study.grouping is not None:
            self._status.say(_NO_MEMBER)

    def show_merging(self, on: bool) -> None:
        """Show whether Merge mode is on."""
        self.merge_button.blockSignals(True)
        self.merge_button.setChecked(on)
        self.merge_button.blockSignals(False)

    def show_spectra(self, on: bool) -> None:
        """Show whether the spectra are open."""
        self.spectra_button.setChecked(on)

    def follow_stability(self, overlay: StabilityOverlay) -> None:
        """Offer to measure it, and show what was measured from now on."""
        action = self.tools.offer(overlay.action, overlay.toggle)
        self.tools.menu.aboutToShow.connect(lambda: action.setText(overlay.action))
        overlay.progressed.connect(self.tools.show_progress)
        overlay.changed.connect(partial(self._show_stability, overlay))

    def _show_stability(self, overlay: StabilityOverlay) -> None:
        """Show a column, and a word in the suggestions."""
        self.model.set_stability(overlay.share)
        show_column(self.table, Column.STABLE, Column.PIXELS, overlay.shown)
        self.suggestions.set_stability(overlay.measured.pooled)

    def _make_buttons(self) -> None:
        self.merge_button = QPushButton("Merge mode")
        self.merge_button.setCheckable(True)
        self.merge_button.setToolTip(
            "Merge with the mouse on the image: drag from one group to another (M)"
        )
        self.spectra_button = QPushButton("Spectra")
        self.spectra_button.setCheckable(True)
        self.spectra_button.setToolTip("Show the groups' spectra below the image (G)")
        self.undo_button = QPushButton("Undo")
        self.redo_button = QPushButton("Redo")
        self.keys_button = QPushButton("?")
        self.keys_button.setToolTip("Show what keys and mouse do (H)")
        self.keys_button.setMaximumWidth(24)  # the others need the room
        self.tree_arrow = FoldButton(tip="Fold the tree of clusters in or out")
        self.empty = WrappedLabel(_EMPTY)

    def _lay_out(self) -> None:
        # The image says in large letters that Merge mode is on: its button glows.
        self.merge_button.setStyleSheet(_MERGING)
        self.put_beside(
            self.merge_button,
            self.spectra_button,
            self.undo_button,
            self.redo_button,
            self.keys_button,
        )
        self.dendrogram.setFixedHeight(_TREE_HEIGHT)
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        slider = QHBoxLayout()
        slider.setSpacing(2)
        slider.addWidget(self.tree_arrow)
        slider.addWidget(self.granularity, stretch=1)
        self.body.addWidget(self.dendrogram)
        self.body.addLayout(slider)
        self.body.addWidget(self.empty)
        self.body.addWidget(self.table, stretch=1)
        self.body.addWidget(self.tools)
        self.body.addWidget(self.suggestions)
        self.body.addStretch()

    def _connect(self) -> None:
        study, model, table = self._study, self.model, self.table
        self.tree_arrow.toggled.connect(self.dendrogram.setVisible)
        self.merge_button.toggled.connect(self.merge_mode_wanted)
        self.spectra_button.clicked.connect(self.spectra_wanted)
        self.undo_button.clicked.connect(self.undo_wanted)
        self.redo_button.clicked.connect(self.redo_wanted)
        self.keys_button.clicked.connect(self.keys_wanted)
        self.dendrogram.merge_wanted.connect(self._on_wished(study.merge))
        self.dendrogram.slid.connect(self.granularity.slide_to)
        self.dendrogram.slide_ended.connect(self.granularity.let_go)
        model.merge_wanted.connect(self._on_wished(study.merge))
        self.suggestions.merge_wanted.connect(self._on_wished(study.merge))
        self.suggestions.cut_wanted.connect(self._on_wished(study.cut))
        self.suggestions.pointed.connect(model.set_pointed)
        model.rename_wanted.connect(self._on_wished(study.rename))
        model.role_wanted.connect(self._on_wished(study.set_role))
        model.lock_wanted.connect(self._on_wished(study.set_lock))
        table.recolor_wanted.connect(self._on_wished(study.recolor))
        model.move_wanted.connect(self._on_wished(study.move))
        model.apart_wanted.connect(self._on_wished(study.take_apart))
        model.eye_wanted.connect(self._visibility.toggle)
        table.header().setSectionsClickable(True)
        table.header().sectionClicked.connect(model.switch_counts)
        self._visibility.changed.connect(self._on_visibility_changed)

    def _on_visibility_changed(self) -> None:
        self.model.set_hidden(self._visibility.resting)

    def _on_wished(self, step: Callable) -> Callable[..., None]:
        return lambda *values: self.wanted.emit(partial(step, *values))


def _tip(verb: str, step: str, key: str) -> str:
    return f"{verb}: {step} ({key})" if step else f"{verb} ({key})"
