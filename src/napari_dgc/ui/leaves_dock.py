"""The dock "Leaves": found, edited by hand, measured live."""

from __future__ import annotations

from typing import Any

import napari.viewer

from napari_dgc.cubes.georeference import pixel_area
from napari_dgc.reports.regions import RegionSettings
from napari_dgc.ui.export_writing import has_tissue
from napari_dgc.ui.leaves_form import MeasuresForm, ask_kept
from napari_dgc.ui.leaves_image import LeavesImage
from napari_dgc.ui.leaves_measuring import LeavesMeasuring
from napari_dgc.ui.leaves_menu import LayerMenu
from napari_dgc.ui.leaves_session import LeavesSession
from napari_dgc.ui.leaves_widgets import LeavesWidgets
from napari_dgc.ui.leaves_wording import (
    CUTTING,
    EDITING,
    HINT,
    NO_CUBE,
    NO_LEAVES,
    NO_MAP,
    NO_ROLES,
    NONE_HERE,
    STALE,
)
from napari_dgc.ui.workspace import Workspace


class LeavesDock(LeavesWidgets):
    """A table of leaves, what can be done with them, and their outlines.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace
    session : LeavesSession

    Notes
    -----
    While it is hidden no outline is shown and nothing is counted.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        session: LeavesSession,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._workspace = workspace
        self.session = session
        self.image = LeavesImage(workspace, self)
        self.measuring = LeavesMeasuring(workspace.study, self)
        self.form: MeasuresForm | None = None
        self.layers = LayerMenu(self.layer_menu, workspace, session)
        self._open = True
        self._regions: Any = None  # whose rows are in the table
        self._painted = ""  # stem of the cube whose leaves are painted
        self._connect()

    # -- what is shown ----------------------------------------------------------

    def renew(self) -> None:
        """Show what has changed; nothing while hidden."""
        if not self._open:
            return
        shared, session = self._workspace, self.session
        index, stem, entry = shared.display.shown, session.stem, shared.display.entry
        rows = self.measuring.rows(index, stem) if stem else []
        if rows or not stem or shared.study.cluster_map(index) is None:
            chosen = self.table.leaves
            if session.regions is not self._regions:  # other leaves have the numbers
                self._regions, chosen = session.regions, ()
                self.image.choose(frozenset())
            self.model.show(rows)
            self.table.show_areas(any(row.pixel_area is not None for row in rows))
            self.table.choose(chosen, scroll=False)
        places = self.measuring.places(index, stem) if stem else []
        names = session.names
        marks = []
        if session.regions is not None and len(places) == len(names):
            numbers = range(1, len(names) + 1)
            marks = list(zip(numbers, names, places, strict=True))
        hidden = shared.display.previewing
        regions = None if hidden else session.regions
        area = None if hidden else session.area
        self.image.show(entry, regions, () if hidden else marks, area)
        self._offer()
        self._say()
        if self.form is not None:
            self.form.refresh()

    def _offer(self) -> None:
        """Enable what can be done now."""
        session, image = self.session, self.image
        study, index = self._workspace.study, self._workspace.display.shown
        mapped = index >= 0 and study.cluster_map(index) is not None
        running, painting = session.runner.running, image.painting
        free = mapped and not running and not painting
        chosen = self.table.leaves
        self.find_button.setText("Stop" if running else "Find leaves")
        self.find_button.setEnabled(running or (free and has_tissue(study)))
        self.progress.setVisible(running)
        self.words.setVisible(not running)  # in its place: nothing jumps
        self.mark_stale(session.stale)
        for widget in (self.least, self.unit, self.part):
            widget.setEnabled(free)
        self.unit.setEnabled(free and self._area() is not None)
        self.edit_button.setText("Done" if painting else "Edit by hand")
        self.edit_button.setEnabled(mapped and not running)
        self.discard_button.setEnabled(painting)
        leaves = free and session.regions is not None and bool(session.names)
        self.cut_button.setEnabled(leaves)
        self.cut_button.setChecked(image.cutting)
        self.merge_button.setEnabled(leaves and len(chosen) > 1)
        self.delete_button.setEnabled(leaves and bool(chosen))
        self.undo_button.setEnabled(free and bool(session.undo_text))
        undo = session.undo_text or "nothing yet"
        self.undo_button.setToolTip(f"Take the last change of the leaves back: {undo}")
        self.layer_button.setEnabled(free)

    def _say(self) -> None:
        study, session = self._workspace.study, self.session
        text, warn = HINT, False
        if self.image.painting:
            text = EDITING
        elif self.image.cutting:
            text = CUTTING
        elif not study.cubes:
            text = NO_CUBE
        elif study.cluster_map(self._workspace.display.shown) is None:
            text = NO_MAP
        elif session.stale:
            text, warn = STALE, True
        elif not has_tissue(study):
            text = NO_ROLES
        elif session.regions is None:
            text = NO_LEAVES
        elif not session.names:
            text = NONE_HERE
        area = session.area
        if area is not None and not warn and text in (HINT, NO_LEAVES):
            text = f"{100 * float(area.mean()):.0f} % of this cube is looked at. {text}"
        self.say(text, warn)

    # -- what the user does -------------------------------------------------------

    def _on_find_clicked(self) -> None:
        session = self.session
        if session.runner.running:
            session.stop()
            return
        keep = session.edited > 0 and ask_kept(self, session.edited)
        if keep is None:
            return
        least, area = self.least.value(), self._area()
        if least and self.unit.currentIndex() and area is not None:
            least = max(1, round(least / area))
        settings = RegionSettings(int(least) or None, self.part.isChecked())
        session.find(settings, keep_edited=keep)

    def _area(self) -> float | None:
        """Of a pixel of the cube on show, in mm²."""
        study, index = self._workspace.study, self._workspace.display.shown
        if study.view.measures.pixel_area is not None or index < 0:
            return study.view.measures.pixel_area
        return pixel_area(study.cubes[index].metadata)

    def _on_edit_clicked(self) -> None:
        entry = self._workspace.display.entry
        if self.image.painting:
            self._end_painting(keep=True)
        elif entry is not None:
            chosen = self.table.leaves
            number = chosen[0] if chosen else len(self.session.names) + 1
            self._painted = self.session.stem
            self.image.begin_painting(entry, number)

    def _end_painting(self, *, keep: bool) -> None:
        painted = self.image.end_painting()
        if keep and painted is not None:
            self.session.paint(self._painted, painted)
        elif not keep:
            self._workspace.status.say("Discarded: the leaves are as they were.")
        self._on_anything_changed()

    def _on_cut_clicked(self) -> None:
        if self.image.cutting:
            self.image.end_cutting()
        else:
            self.image.begin_cutting()

    def _on_line_drawn(self, line: list) -> None:
        self.session.cut(line)

    def _on_rows_chosen(self, numbers: tuple[int, ...]) -> None:
        self.image.choose(frozenset(numbers))
        places = self.measuring.places(self._workspace.display.shown, self.session.stem)
        if len(numbers) == 1 and numbers[0] <= len(places):
            self.image.go_to(places[numbers[0] - 1])
        self._offer()

    def _on_leaf_clicked(self, number: int) -> None:
        if number:
            self.table.choose((number,))
            self.image.choose(frozenset({number}))
            self._offer()

    def _on_measures_clicked(self) -> None:
        if self.form is None:
            shared = self._workspace
            self.form = MeasuresForm(shared.study, shared.status, self)
        self.form.show()
        self.form.raise_()

    # -- coming and going -------------------------------------------------------------

    def set_open(self, on: bool) -> None:
        """Show outlines and count, or do neither."""
        self._open = on
        if on:
            self._renewal.start(0)
            return
        if self.image.painting:
            self._end_painting(keep=True)
        self.image.show(None, None)
        self.measuring.stop()

    def shut(self) -> None:
        """Let go of the study and the viewer."""
        if self._open:
            self.set_open(False)
        self.image.detach()
        super().shut()

    def _on_cube_shown(self, index: int) -> None:
        if self.image.painting:
            self._end_painting(keep=True)
        self.table.choose(())
        self.image.choose(frozenset())
        self._renewal.start(0)

    def _connect(self) -> None:
        shared, study = self._workspace, self._workspace.study
        self.listen(
            (shared.regrouped, self._on_anything_changed),
            (shared.display.shown_changed, self._on_cube_shown),
            (shared.display.previewing_changed, self._on_anything_changed),
            (study.map_changed, self._on_anything_changed),
            (study.cubes_changed, self._on_anything_changed),
            (study.model_changed, self._on_anything_changed),
            (study.view_changed, self._on_anything_changed),
        )
        self.session.changed.connect(self._on_anything_changed)
        self.session.begun.connect(self.show_begun)
        self.measuring.measured.connect(self._on_anything_changed)
        self.measuring.runner.failed.connect(shared.status.report)
        self.image.clicked.connect(self._on_leaf_clicked)
        self.image.line_drawn.connect(self._on_line_drawn)
        self.image.mode_changed.connect(self._on_anything_changed)
        self.model.renamed.connect(self.session.rename)
        self.table.chosen.connect(self._on_rows_chosen)
        self.find_button.clicked.connect(self._on_find_clicked)
        self.edit_button.clicked.connect(self._on_edit_clicked)
        self.discard_button.clicked.connect(lambda: self._end_painting(keep=False))
        self.cut_button.clicked.connect(self._on_cut_clicked)
        self.merge_button.clicked.connect(lambda: self.session.merge(self.table.leaves))
        self.delete_button.clicked.connect(
            lambda: self.session.delete(self.table.leaves)
        )
        self.undo_button.clicked.connect(self.session.undo)
        self.measures_button.clicked.connect(self._on_measures_clicked)
