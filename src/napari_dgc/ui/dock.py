"""The dock "Deep Global Clustering": everything on the screen, put together."""

from __future__ import annotations

import contextlib
from functools import partial

import napari.viewer
from napari.layers import Layer
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_dgc.merging.operations import Change
from napari_dgc.study import Study
from napari_dgc.ui import keys
from napari_dgc.ui.actions import actions_of
from napari_dgc.ui.activation import Activation
from napari_dgc.ui.canvas import canvas_widget
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_drop import CubeDrop
from napari_dgc.ui.cubes_panel import MAP_THEM, CubesPanel
from napari_dgc.ui.endings import DockedWidget, when_destroyed
from napari_dgc.ui.evaluation import Evaluation
from napari_dgc.ui.export_panel import ExportPanel
from napari_dgc.ui.film_strip import FilmStrip
from napari_dgc.ui.fitting import FirstFit
from napari_dgc.ui.gestures import NEXT_SNAPSHOT
from napari_dgc.ui.groups_panel import GroupsPanel
from napari_dgc.ui.leaves import Leaves
from napari_dgc.ui.merge_preview import MergePreviews
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.picture_row import PictureRow
from napari_dgc.ui.pins import Pins
from napari_dgc.ui.preparing import Preparing
from napari_dgc.ui.section import SLIM, give_room, make_line
from napari_dgc.ui.spectra import Spectra
from napari_dgc.ui.splitting import Splitting
from napari_dgc.ui.stability import StabilityOverlay
from napari_dgc.ui.study_panel import StudyPanel
from napari_dgc.ui.training_panel import TrainingPanel
from napari_dgc.ui.workspace import Workspace

_BEGIN = "Begin with a cube."
_GROUPS_STAY = "The groups stay for the next cube of this sensor."
_MAP_IT = "Press First map: a map within seconds. Train makes one too, and betters it."
_AROUND = 18  # pixels about the status line's words: padding, ours and napari's
_WIDTH = 376  # pixels: room for "background" beside a name and a million pixels


class ClusteringDock(DockedWidget):
    """Cubes in, clusters by training, groups by merging, masks out.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the cubes and maps are shown.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.status = StatusLine()
        self.workspace = Workspace(viewer, self.status, self)
        self._cubes_before = 0
        self._make_panels()
        self._lay_out()
        self._connect()
        self._start()

    # -- three steps --------------------------------------------------------

    def _make_panels(self) -> None:
        shared, viewer, status = self.workspace, self._viewer, self.status
        self.studies = StudyPanel(shared, status)
        self.cubes = CubesPanel(viewer, self.study, self.display, status)
        self.picture = PictureRow(self.study, self.display, shared.colors)
        self.preparing = Preparing(shared, self.picture.menu, self)
        self.training = TrainingPanel(viewer, self.study, shared.session, status)
        self.film = FilmStrip(shared, status, viewer.theme)
        self.groups = GroupsPanel(
            self.study, shared.selection, shared.visibility, status
        )
        self.export = ExportPanel(self.study, shared.selection, status)
        self.spectra = Spectra(viewer, shared, self._bind_keys, self)
        self.activation = Activation(viewer, shared, self._bind_keys, self)
        self.evaluation = Evaluation(viewer, shared, self._bind_keys, self)
        self.leaves = Leaves(viewer, shared, self._bind_keys, self)
        self.stability = StabilityOverlay(shared, self)
        self.splitting = Splitting(shared, self)
        self.previews = MergePreviews(shared, self.spectra, self.groups.angle)
        self.area = QScrollArea()
        self._unfolding = QTimer(self)  # until what unfolds has its height
        self._unfolding.setSingleShot(True)
        self._unfolding.setInterval(0)
        self.first_fit = FirstFit(viewer, self.display, self)
        self.drop = CubeDrop(canvas_widget(viewer), self)
        self.drop.dropped.connect(self.cubes.add_paths)

    def _lay_out(self) -> None:
        self.setObjectName("dgc_dock")
        self.setMinimumWidth(_WIDTH)
        content = QWidget()
        content.setStyleSheet(SLIM)
        column = QVBoxLayout(content)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        self.cubes.body.addWidget(self.picture)
        self.training.add_film(self.film)
        for panel in (self.studies, self.cubes, self.training, self.groups):
            column.addWidget(panel)
        give_room(column, self.groups)
        area = self.area
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content.setMinimumWidth(1)  # wraps to the dock's width, never beyond it
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(area, stretch=1)
        # Outside the scrolled part: the way out, and what was just said, are always
        # in sight.
        layout.addWidget(make_line())
        layout.addWidget(self.export)
        layout.addWidget(self.status)

    def _connect(self) -> None:
        shared, study, display = self.workspace, self.study, self.display
        study.cubes_changed.connect(self._on_cubes_changed)
        study.map_changed.connect(self._on_map_changed)
        shared.regrouping.connect(self._on_regrouping)
        shared.regrouped.connect(self._on_regrouped)
        display.shown_changed.connect(self._on_cube_shown)
        display.layer_joined.connect(self._on_layer_joined)
        display.previewing_changed.connect(self._on_previewing_changed)
        shared.gestures.clicked.connect(self._on_image_clicked)
        shared.gestures.mode_changed.connect(self._on_merging_changed)
        self.cubes.chosen.connect(display.show)
        self.groups.wanted.connect(shared.attempt)
        self.groups.merge_mode_wanted.connect(shared.gestures.set_merging)
        for part in (self.groups.model, self.groups.tools):
            part.split_wanted.connect(self.splitting.split)
        self.groups.tools.stop_wanted.connect(self.splitting.stop)
        self.splitting.running_changed.connect(self.groups.tools.show_splitting)
        self.groups.undo_wanted.connect(shared.undo)
        self.groups.redo_wanted.connect(shared.redo)
        self.groups.keys_wanted.connect(self.show_keys)
        self.groups.dendrogram.pointed.connect(shared.point)
        self.groups.dendrogram.clicked.connect(self._on_image_clicked)
        self.groups.suggestions.pointed.connect(shared.point)
        self.groups.suggestions.previewed.connect(self.previews.draw)
        self.groups.suggestions.unfolded.connect(self._unfolding.start)
        self.groups.table.aimed.connect(self.previews.aim)
        shared.gestures.pointed.connect(self.previews.end)
        shared.gestures.aimed.connect(self.previews.aim_one)
        shared.session.ended.connect(self.export.refresh)
        shared.session.ended.connect(self.cubes.warn)
        self.groups.spectra_wanted.connect(self.spectra.set_shown)
        self.spectra.shown_changed.connect(self.groups.show_spectra)
        self._unfolding.timeout.connect(self._show_suggestions)
        self._viewer.events.theme.connect(self._on_theme_changed)
        offer = self.groups.tools.offer
        offer("Activation: groups × cubes (X)", self.activation.toggle)
        offer("Compare with labels…", self.evaluation.ask)
        offer("Leaves: severity leaf by leaf (L)", self.leaves.toggle)
        self.groups.follow_stability(self.stability)

    def _start(self) -> None:
        self._actions = actions_of(self)
        self._bind_keys(self)
        canvas = canvas_widget(self._viewer)
        if canvas is not None:
            keys.KeyClaim(canvas, when=self._has_active_layer, parent=self)
        # With the window this widget goes first; the layers may outlive it.
        when_destroyed(self, partial(_let_go, self.workspace, self.spectra.pins))
        if not self.display.adopt_open_layers():
            self.status.say(_BEGIN)

    @property
    def study(self) -> Study:
        """The study on the screen."""
        return self.workspace.study

    @property
    def display(self) -> CubeDisplay:
        """Its cubes as layers."""
        return self.workspace.display

    def sizeHint(self) -> QSize:
        """Ask for a narrow column."""
        return QSize(_WIDTH, 700)

    def showEvent(self, event) -> None:
        """Keep two lines for words: a second one moves nothing that is above."""
        super().showEvent(event)
        lines = 2 * self.status.fontMetrics().lineSpacing()  # napari's font by now
        self.status.setMinimumHeight(lines + _AROUND)

    def show_keys(self) -> None:
        """Show what keys and mouse do."""
        keys.make_key_box(self).show()

    def _has_active_layer(self) -> bool:
        active = self._viewer.layers.selection.active
        # By ==: a plugin is handed proxies.
        return any(active == layer for e in self.display.entries for layer in e.layers)

    def leave(self) -> None:
        """Leave what is on: the film, a suggestion, Merge mode, the selection."""
        if self.film.session.leave() or self.leaves.leave():
            return
        self.groups.suggestions.let_go()
        self.workspace.leave()

    def _bind_keys(self, widget: QWidget) -> None:
        keys.bind_dock(widget, self._actions)

    # -- what follows from it -------------------------------------------------

    def _on_cubes_changed(self, cubes: tuple) -> None:
        self.cubes.refresh()
        self.training.refresh()
        self.export.refresh()
        self.groups.show_cubes()
        if not cubes:
            self.status.say(_BEGIN if self.study.grouping is None else _GROUPS_STAY)
        elif self.study.model is None and not self.workspace.session.runner.running:
            self.status.say(_MAP_IT)
        elif len(cubes) > self._cubes_before and self.workspace.session.unmapped:
            self.status.say(MAP_THEM)
        self._cubes_before = len(cubes)

    def _on_map_changed(self, index: int) -> None:
        if index == self.display.shown:
            self.display.draw()
        self._count_pixels()
        self.training.refresh()
        self.export.refresh()

    def _on_regrouping(self, change: Change | None) -> None:
        self.groups.granularity.end_slide()
        self.groups.show_grouping(self.study.grouping)

    def _on_regrouped(self, change: Change | None) -> None:
        self.groups.table.show_selection()

    def _on_cube_shown(self, index: int) -> None:
        self.cubes.refresh()
        self.workspace.session.set_shown(index)
        self._count_pixels()
        if self.display.previewing and self.film.session.index < 0:
            self.status.say(NEXT_SNAPSHOT, "info")

    def _on_previewing_changed(self, on: bool) -> None:
        # The table's groups are not those on the image then.
        self.groups.setEnabled(not on)
        if on:
            self.workspace.gestures.set_merging(False)

    def _on_layer_joined(self, layer: Layer) -> None:
        keys.bind_layer(layer, self._actions)

    def _count_pixels(self) -> None:
        self.groups.count_pixels(self.display.shown)

    def _on_image_clicked(self, group: int, adding: bool) -> None:
        self.workspace.selection.toggle(group, adding=adding)
        self.status.say(self.groups.model.describe(self.workspace.selection.ids))

    def _on_merging_changed(self, on: bool) -> None:
        self.groups.show_merging(on)
        if on:
            # All colours plain: what merges must be seen.
            self.groups.suggestions.let_go()
            self.workspace.selection.set(())

    def _show_suggestions(self) -> None:
        """In a low window the buttons just unfolded would lie below the edge."""
        self.area.ensureWidgetVisible(self.groups.suggestions, 0, 0)

    def _on_theme_changed(self, event) -> None:
        self.training.plots.set_theme(event.value)
        self.film.set_theme(event.value)

    def shut(self) -> None:
        """Stop what is running and let go of the viewer; the layers stay."""
        for work in (self.splitting, self.stability, self.preparing):
            work.stop()
        docks = (self.spectra, self.activation, self.evaluation, self.leaves)
        for part in (self.film.session, *docks, self.workspace):
            part.close()
        for layer in [layer for e in self.display.entries for layer in e.layers]:
            keys.unbind_layer(layer)


def _let_go(workspace: Workspace, pins: Pins) -> None:
    with contextlib.suppress(RuntimeError):  # with the program Qt's timers go first
        workspace.detach()
        pins.detach()
