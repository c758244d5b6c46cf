"""The dock "Spectra": what the groups, pinned pixels and the mouse's pixel reflect."""

from __future__ import annotations

from collections.abc import Sequence

import napari.viewer
import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from napari_dgc.cubes.agreement import common_wavelengths
from napari_dgc.study.view import Pin
from napari_dgc.ui.pins import Pins
from napari_dgc.ui.second_dock import ClosableWidget
from napari_dgc.ui.spectra_ghost import Ghost
from napari_dgc.ui.spectra_hover import SpectraHover
from napari_dgc.ui.spectra_legend import SpectraLegend
from napari_dgc.ui.spectra_plot import SpectraPlot
from napari_dgc.ui.spectra_saving import SpectraSaving
from napari_dgc.ui.spectra_source import SpectraSource, pinned_spectra
from napari_dgc.ui.spectrum_reader import Pixel, SpectrumReader
from napari_dgc.ui.workspace import Workspace

_HEIGHT = 190  # pixels, of 800 in a small window


class SpectraDock(ClosableWidget):
    """Mean ± sd of every visible group against wavelength, live.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace
    pins : Pins

    Notes
    -----
    While hidden it computes nothing; what it missed is made up for when shown.
    """

    def __init__(
        self, viewer: napari.viewer.Viewer, workspace: Workspace, pins: Pins
    ) -> None:
        super().__init__(_HEIGHT)
        self.setObjectName("dgc_spectra")
        self._viewer = viewer
        self._workspace = workspace
        self._pins = pins
        self._source = SpectraSource(workspace.study)
        self._merging = frozenset[int]()  # groups whose ghost is drawn
        self.reader = SpectrumReader(self)
        self.hover = SpectraHover(workspace.study, self.reader, self)
        self._make_widgets()
        self._lay_out()
        self._connect()

    # -- what is shown ----------------------------------------------------------

    @property
    def index(self) -> int | None:
        """The cube whose statistics are shown; None for all together."""
        return None if self.all_button.isChecked() else self._workspace.display.shown

    def renew(self) -> None:
        """Draw what has changed; nothing while hidden."""
        if not self.isVisible():
            return
        shared, study = self._workspace, self._workspace.study
        cubes, entry = study.cubes, shared.display.entry
        if not cubes:
            self.plot.show_cursor(None)
        else:
            own = None if entry is None else entry.cube.wavelengths
            self.plot.set_axis(own if own is not None else common_wavelengths(cubes),
                               cubes[0].bands)  # fmt: skip
        groups, fault = self._source.spectra(self.index)
        hidden = shared.visibility.hidden
        visible = {id: s for id, s in groups.items() if id not in hidden}
        pins = pinned_spectra(study, self.reader)
        self.plot.show_groups(visible)
        self.plot.highlight(self._merging or shared.selection.ids)
        self.plot.show_pins([(number, s) for number, _, s in pins if s is not None])
        limits = (0.0, 1.0) if entry is None else entry.bands.contrast_limits
        self.plot.fit(otherwise=(float(limits[0]), float(limits[1])))
        if not fault and groups and not visible:
            fault = "All groups are hidden: show some in the table of groups."
        self.plot.say(fault)
        self.legend.show_spectra(
            visible, [(number, pin, self._where(pin)) for number, pin, _ in pins]
        )
        self.legend.mark(shared.selection.ids)
        self.all_button.setEnabled(len(cubes) > 1 or self.all_button.isChecked())
        self.saving.offer(
            [*visible.values(), *(s for *_, s in pins if s is not None)],
            common_wavelengths(cubes),
            self._source.name(self.index),
        )
        self._show_band()

    def _where(self, pin: Pin) -> str:
        place = f"row {pin.row}, col {pin.col}"
        if pin.cube == self._workspace.display.shown:
            return place
        return f"{self._workspace.study.cubes[pin.cube].name}, {place}"

    def show_ghost(self, sources: Sequence[int], target: int) -> None:
        """Draw what a merge would give, and its groups alone; no sources: as before."""
        shown = sources and self.isVisible()
        merged = self._source.merged(self.index, sources, target) if shown else None
        self._merging = frozenset((*sources, target)) if merged else frozenset()
        self.ghost.show(merged)
        self.plot.highlight(self._merging or self._workspace.selection.ids)

    # -- the mouse on the image ---------------------------------------------------

    def _on_hovered(self, pixel: Pixel, spectrum: NDArray[np.float32]) -> None:
        self.plot.show_cursor(spectrum)
        lost = "" if np.isfinite(spectrum).any() else " (no data)"
        self.where.setText(f"row {pixel.row}, column {pixel.col}{lost}")

    def _on_left(self) -> None:
        self.plot.show_cursor(None)
        self.where.setText("")

    # -- napari's slider ------------------------------------------------------------

    def _show_band(self, event=None) -> None:
        entry = self._workspace.display.entry
        if not self.isVisible():
            return
        if entry is None:
            self.plot.show_band(-1)
            return
        point = entry.bands.world_to_data(self._viewer.dims.point)
        self.plot.show_band(round(float(point[-3])))

    def _on_band_wanted(self, band: int) -> None:
        entry, dims = self._workspace.display.entry, self._viewer.dims
        if entry is not None:
            world = entry.bands.data_to_world((band, 0, 0))[0]
            dims.set_point(dims.ndim - 3, float(world))

    # -- groups ---------------------------------------------------------------------

    def _on_group_clicked(self, id: int, adding: bool = False) -> None:
        self._workspace.selection.toggle(id, adding=adding)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        if self.isVisible() and not self._renewal.isActive():
            self.plot.highlight(ids)
            self.legend.mark(ids)

    def _on_numbers_changed(self, *_: object) -> None:
        self._source.forget()
        self._renewal.start(0)

    def _on_theme_changed(self, event) -> None:
        self.plot.set_theme(event.value)

    # -- coming and going -------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.plot = SpectraPlot(self._viewer.theme)
        self.plot.setToolTip(
            "Click a curve: select its group. Drag: move the band slider. "
            "Wheel: zoom along the wavelengths; double-click: all of them"
        )
        self.ghost = Ghost(self.plot)
        self.legend = SpectraLegend()
        self.where = QLabel()
        self.where.setToolTip("The pixel under the mouse: the solid line. P pins it")
        self.where.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.this_button = QPushButton("This cube")
        self.this_button.setToolTip("Means over the pixels of the cube on show")
        self.all_button = QPushButton("All cubes")
        self.all_button.setToolTip("Means over the pixels of all cubes with a map")
        self._scope = QButtonGroup(self)
        for button in (self.this_button, self.all_button):
            button.setCheckable(True)
            self._scope.addButton(button)
        self.this_button.setChecked(True)
        self.saving = SpectraSaving(self, self._workspace.status)

    def _lay_out(self) -> None:
        self.setMinimumHeight(120)
        top = QHBoxLayout()
        top.setSpacing(4)
        for button in (self.this_button, self.all_button):
            top.addWidget(button)
        top.addSpacing(8)
        top.addWidget(self.where, stretch=1)
        for button in (self.saving.picture_button, self.saving.table_button):
            top.addWidget(button)
        middle = QHBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(self.plot, stretch=1)
        middle.addWidget(self.legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(middle, stretch=1)

    def _connect(self) -> None:
        shared, study = self._workspace, self._workspace.study
        self.listen(
            (shared.regrouped, self._on_anything_changed),
            (shared.visibility.changed, self._on_anything_changed),
            (shared.selection.changed, self._on_selection_changed),
            (shared.display.shown_changed, self._on_anything_changed),
            (shared.pointer.moved, self.hover.go_to),
            (study.map_changed, self._on_numbers_changed),
            (study.cubes_changed, self._on_numbers_changed),
            (study.view_changed, self._on_anything_changed),
            (self._viewer.dims.events.point, self._show_band),
            (self._viewer.events.theme, self._on_theme_changed),
        )
        self.reader.hovered.connect(self._on_hovered)
        self.hover.left.connect(self._on_left)
        self.reader.kept.connect(self._on_anything_changed)
        self.reader.failed.connect(shared.status.report)
        self._scope.buttonToggled.connect(self._on_anything_changed)
        self.plot.group_clicked.connect(self._on_group_clicked)
        self.plot.group_pointed.connect(self.legend.name_pointed)
        self.plot.band_wanted.connect(self._on_band_wanted)
        self.legend.group_clicked.connect(self._on_group_clicked)
        self.legend.group_pointed.connect(self.plot.point)
        self.legend.unpin_wanted.connect(self._pins.unpin)
        self.legend.unpin_all_wanted.connect(self._pins.unpin_all)
