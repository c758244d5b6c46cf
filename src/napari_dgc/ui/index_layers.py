"""Vegetation indices of the cube on show, as layers on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QMenu

from napari_dgc.cubes.cube import Cube, row_slices
from napari_dgc.cubes.indices import INDICES, IndexMap
from napari_dgc.ui.cube_entry import Entry, close_layers
from napari_dgc.ui.cube_layers import plane_of
from napari_dgc.ui.index_wording import (
    bands_nm,
    holds_counts,
    word_index,
    word_missing,
    word_tip,
)
from napari_dgc.ui.pointer import Place
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_PERCENTILES = (2.0, 98.0)
_ROWS_PER_READ = 64
_COUNTS = "{0} holds raw counts: calibrate it, else the index says little."


@dataclass(frozen=True, slots=True, eq=False)
class _Computed:
    """An index over a whole cube, (H, W) float32, and limits that suit it."""

    cube: Cube
    name: str
    values: NDArray[np.float32]
    limits: tuple[float, float]


class IndexLayers(QObject):
    """One layer for each index that is on, following the cube on show.

    Maps are computed in a worker and kept per cube, so that stepping through the
    cubes costs nothing the second time.

    Signals
    -------
    changed : ()
        An index is on, off or drawn.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.layers: dict[str, Image | None] = {}  # those on; None: never drawn
        self._maps: WeakKeyDictionary[Cube, dict[str, _Computed]] = WeakKeyDictionary()
        self._failed: list[tuple[Cube, str]] = []
        self._under_way: tuple[Cube, str] | None = None
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_computed)
        self.runner.failed.connect(self._on_failed)
        self.runner.running_changed.connect(self._on_running_changed)
        workspace.display.shown_changed.connect(self._update)
        workspace.study.cubes_changed.connect(self._update)
        workspace.readout.extras.append(self.read)

    # -- what the user can do --------------------------------------------------------

    def fill(self, menu: QMenu) -> None:
        """List all indices in a menu: those on ticked, those not possible greyed."""
        entry = self._workspace.display.entry
        self._forget_removed()
        menu.clear()
        menu.setToolTipsVisible(True)
        for name, index in INDICES.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name in self.layers)
            cube = None if entry is None else entry.cube
            action.setToolTip(word_tip(index, cube))
            possible = cube is not None and not word_missing(index, cube)
            action.setEnabled(possible or name in self.layers)
            action.triggered.connect(partial(self._on_chosen, name))

    def toggle(self, name: str) -> None:
        """Show an index on every cube that is looked at, or no longer."""
        entry = self._workspace.display.entry
        self._forget_removed()
        if name in self.layers:
            layer = self.layers.pop(name)
            if layer is not None:
                close_layers(self._workspace.viewer, [layer])
            self._update()
        elif entry is not None:
            missing = word_missing(INDICES[name], entry.cube)
            if missing:
                self._workspace.status.say(missing, "warning")
                return
            self.layers[name] = None
            self._tell(name, entry.cube)
            self._update()

    def read(self, place: Place) -> str:
        """Say what the indices on show are at a pixel; for the status bar."""
        entry = self._workspace.display.entry
        parts = []
        for name, layer in self.layers.items():
            if entry is None or layer is None or not layer.visible:
                continue
            found = self._maps.get(entry.cube, {}).get(name)
            if found is not None:
                value = float(found.values[place.row, place.col])
                text = "no value" if np.isnan(value) else f"{value:.4g}"
                parts.append(f"{name} {text}")
        return " · ".join(parts)

    def stop(self) -> None:
        """Compute no further; the layers stay."""
        self._workspace.readout.extras.remove(self.read)
        self.layers = {}
        self.runner.stop()

    def _on_chosen(self, name: str, *_: object) -> None:
        self.toggle(name)

    def _tell(self, name: str, cube: Cube) -> None:
        text = f"{word_index(INDICES[name], cube)}."
        if holds_counts(cube):
            say = self._workspace.status.say
            say(f"{text} {_COUNTS.format(cube.name)}", "warning")
        else:
            self._workspace.status.say(text)

    # -- drawing ---------------------------------------------------------------------

    def _update(self, *_: object) -> None:
        """Show each index of the cube on show; compute those that are not there yet."""
        entry = self._workspace.display.entry
        self._forget_removed()
        for name, layer in list(self.layers.items()):
            maps = {} if entry is None else self._maps.get(entry.cube, {})
            found = maps.get(name)
            if entry is not None and found is not None:
                self._draw(name, entry, found)
            elif layer is not None and entry is None:
                close_layers(self._workspace.viewer, [layer])  # until a cube comes
                self.layers[name] = None
            elif layer is not None:
                layer.visible = False  # it still shows the cube before
        drawn = [layer for layer in self.layers.values() if layer is not None]
        for layer in drawn:  # two bars side by side do not say whose they are
            layer.colorbar.visible = layer is drawn[-1]
        self._go_on()
        self.changed.emit()

    def _forget_removed(self) -> None:
        """Let go of layers that the user took out of the viewer."""
        for name, layer in list(self.layers.items()):
            if layer is not None and layer not in self._workspace.viewer.layers:
                del self.layers[name]

    def _go_on(self) -> None:
        entry = self._workspace.display.entry
        if entry is None or self.runner.running:
            return
        if self._workspace.display.shown in self._workspace.study.missing:
            return
        cube = entry.cube
        for name in self.layers:
            known = name in self._maps.get(cube, {}) or (cube, name) in self._failed
            if not known and not word_missing(INDICES[name], cube):
                self._under_way = cube, name
                self.runner.start(Job(f"{name} map", partial(_compute, cube, name)))
                return

    def _draw(self, name: str, entry: Entry, found: _Computed) -> None:
        viewer, layer = self._workspace.viewer, self.layers[name]
        about = _about(name, entry.cube)
        title = f"{entry.cube.name} {name}"
        if layer is None:
            layer = Image(
                found.values,
                name=title,
                colormap="viridis",
                contrast_limits=found.limits,
                metadata=about,
                **plane_of(entry.bands),
            )
            active = viewer.layers.selection.active
            self.layers[name] = layer
            viewer.add_layer(layer)
            if active is not None:
                viewer.layers.selection.active = active
            return
        if layer.data is not found.values:
            layer.data = found.values
            layer.name = title
            layer.metadata = about
            for key, value in plane_of(entry.bands).items():
                setattr(layer, key, value)
        layer.visible = True
        # Above the cube's own layers: the map of groups may have come later.
        layers = viewer.layers
        top = max(layers.index(own) for own in entry.layers if own in layers)
        if layers.index(layer) < top:
            layers.move(layers.index(layer), top + 1)

    # -- the worker --------------------------------------------------------------------

    def _on_computed(self, found: _Computed) -> None:
        self._maps.setdefault(found.cube, {})[found.name] = found
        self._update()

    def _on_failed(self, error: Exception) -> None:
        if self._under_way is not None:
            self._failed.append(self._under_way)
        self._workspace.status.report(error)

    def _on_running_changed(self, running: bool) -> None:
        if not running:
            self._under_way = None
            self._go_on()


def _compute(cube: Cube, name: str) -> Iterator[_Computed]:
    yield compute_index(cube, name)


def compute_index(cube: Cube, name: str) -> _Computed:
    """Compute an index over a whole cube, some rows at a time."""
    found: Any = IndexMap(cube, INDICES[name])
    values = np.empty(found.shape, np.float32)
    for rows in row_slices(len(values), _ROWS_PER_READ):
        values[rows] = found[rows]
    return _Computed(cube, name, values, limits_of(values))


def limits_of(values: NDArray[np.float32]) -> tuple[float, float]:
    """Percentiles 2 and 98 of what is a value; always low < high."""
    real = values[np.isfinite(values)]
    if not real.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(real, _PERCENTILES))
    if not low < high:
        low, high = float(real.min()), float(real.max())
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _about(name: str, cube: Cube) -> dict[str, Any]:
    """What a layer's metadata say of its index."""
    index = INDICES[name]
    bands = index.bands_used(cube) or ()
    return {
        "index": name,
        "meaning": index.meaning,
        "formula": index.formula,
        "source": index.source,
        "bands": list(bands),
        "bands_used": bands_nm(bands, cube),
        "cube": cube.name,
    }
