"""Stability on the screen: measured on request, shown as a layer and a column."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_dgc.study.mapping import Progress
from napari_dgc.study.stability import CubeStability, MapStability, measure_cubes
from napari_dgc.ui.cube_entry import Entry, close_layers
from napari_dgc.ui.stability_layer import make_stability_layer, renew_layer
from napari_dgc.ui.training_jobs import with_threads
from napari_dgc.ui.wording import word_names
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_MEASURE = "Measure stability"
_NO_MAP = "Make a map first: press First map."
_BUSY = "Wait until the training or mapping is done, or press Stop, then measure."
_ANOTHER = "The map of {0} is another one by now: its stability was not kept."
_STOPPED = "Stopped. The stability was not measured."
_STOPPED_AFTER = "Stopped. The stability of {0} is kept; that of {1} is not measured."
_UNMEASURED = "The stability of {0} is not measured yet: More > Measure stability."
_DONE = "{0}: {1:.4g} % of the pixels keep their group under noise; dots: the rest."
_GONE = "The pixels of {0} are not there: put the file back to measure its stability."


class StabilityOverlay(QObject):
    """Measures the maps of all cubes in one go, and shows what was measured.

    Parameters
    ----------
    workspace : Workspace
    parent : QObject
        Owns the worker.

    Attributes
    ----------
    measured : MapStability

    Signals
    -------
    changed : ()
        Something else is to be shown: on, off, another measurement.
    progressed : float
        The share of the measuring done, 0..1; -1 when it has ended.
    """

    changed = Signal()
    progressed = Signal(float)

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._on = False
        self._layers: dict[Entry, Image] = {}
        self._wanted = 0  # cubes that were to be measured
        self._done: list[str] = []  # names of those that were
        self.measured = MapStability(workspace.study)
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.failed.connect(workspace.status.report)
        self.runner.stopped.connect(self._on_stopped)
        self.runner.running_changed.connect(self._on_running_changed)
        self.measured.changed.connect(self._update)
        workspace.study.cubes_changed.connect(self._update)
        workspace.display.shown_changed.connect(self._on_cube_shown)
        # A snapshot of a training is another map than the one that was measured.
        workspace.display.previewing_changed.connect(self._update)
        # After the image, never on its path.
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.timeout.connect(self._draw)
        workspace.regrouped.connect(self._on_regrouped)

    # -- what the user can do -----------------------------------------------------

    @property
    def shown(self) -> bool:
        """Whether layer and column are on show, where there is something to show."""
        return self._on and len(self.measured) > 0

    @property
    def action(self) -> str:
        """What `toggle` would do, in words for a menu."""
        if self.runner.running:
            return "Stop measuring stability"
        if not self._is_measured(self._workspace.display.shown):
            count = len(self.measured.unmeasured)
            return f"Measure stability ({count} cubes)" if count > 1 else _MEASURE
        return "Hide stability" if self._on else "Show stability"

    def toggle(self) -> None:
        """Measure all cubes, stop that, or show and hide what was measured."""
        if self.runner.running:
            self.runner.stop()
        elif not self._is_measured(self._workspace.display.shown):
            self._measure()
        else:
            self._on = not self._on
            self._update()

    def share(self, clusters: tuple[int, ...]) -> float | None:
        """Share of a group's pixels that stay in it, over all measured cubes."""
        return self.measured.pooled(clusters)

    def stop(self) -> None:
        """Measure no further."""
        self.runner.stop()

    # -- measuring ----------------------------------------------------------------

    def _measure(self) -> None:
        shared = self._workspace
        study, index = shared.study, shared.display.shown
        clusters = None if index < 0 else study.cluster_map(index)
        if study.model is None or clusters is None:
            shared.status.say(_NO_MAP, "warning")
            return
        if index in study.missing:
            shared.status.say(_GONE.format(study.cubes[index].name), "warning")
            return
        if shared.session.runner.running:
            shared.status.say(_BUSY, "warning")
            return
        # The one on show comes first: it is looked at.
        places = sorted(self.measured.unmeasured, key=lambda i: i != index)
        cubes = [study.cubes[i] for i in places]
        self._wanted, self._done = len(cubes), []
        job = partial(measure_cubes, study.model, cubes)
        self.runner.start(Job("stability", partial(with_threads, job), _must_arrive))
        what = cubes[0].name if len(cubes) == 1 else f"{len(cubes)} cubes"
        shared.status.say(f"Measuring how far the maps of {what} hold…")

    def _on_yielded(self, piece: Any) -> None:
        if isinstance(piece, Progress):
            self.progressed.emit(piece.done)
            return
        self._on = True
        name, say = piece.cube.name, self._workspace.status.say
        if not self.measured.put(piece):
            say(_ANOTHER.format(name), "warning")
            return
        self._done.append(name)
        if len(self._done) < self._wanted:
            return
        what = name if self._wanted == 1 else f"{self._wanted} cubes"
        # Down to a tenth: "100 %" beside marked pixels would be a contradiction.
        say(_DONE.format(what, math.floor(1000 * self._kept()) / 10), "good")

    def _kept(self) -> float:
        """Share of the valid pixels of all measured cubes that keep their group."""
        groups = self._workspace.study.grouping
        if groups is None:
            return 0.0
        pairs = [self.measured.total(i, groups) for i in self.measured.measured]
        stay, total = (sum(values) for values in zip(*pairs, strict=True))
        return stay / max(1, total)

    def _on_stopped(self) -> None:
        left = self._wanted - len(self._done)
        rest = f"{left} cube{'s' * (left != 1)}"
        kept = word_names(self._done)
        text = _STOPPED_AFTER.format(kept, rest) if self._done else _STOPPED
        self._workspace.status.say(text)

    def _on_running_changed(self, running: bool) -> None:
        self.progressed.emit(0.0 if running else -1.0)
        self.changed.emit()

    # -- showing --------------------------------------------------------------------

    def _is_measured(self, index: int) -> bool:
        return index >= 0 and self._workspace.study.moved(index) is not None

    def _on_regrouped(self, *_: object) -> None:
        if self._on:
            self._drawing.start(0)

    def _on_cube_shown(self, index: int) -> None:
        self._update()
        if self._on and index >= 0 and not self.runner.running:
            study = self._workspace.study
            if self.shown and not self._is_measured(self._workspace.display.shown):
                name = study.cubes[index].name
                self._workspace.status.say(_UNMEASURED.format(name))

    def _update(self, *_: object) -> None:
        """Have one layer on show at most: that of the cube on show."""
        display, viewer = self._workspace.display, self._workspace.viewer
        entries = {id(entry): at for at, entry in enumerate(display.entries)}
        for entry, layer in list(self._layers.items()):
            at = entries.get(id(entry), -1)
            if not self._is_measured(at) or layer not in viewer.layers:
                del self._layers[entry]
                close_layers(viewer, [layer])
            else:
                shown = self._on and entry is display.entry
                layer.visible = shown and not display.previewing
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        """Bring the layer of the cube on show up to date."""
        display, viewer = self._workspace.display, self._workspace.viewer
        study, entry, index = self._workspace.study, display.entry, display.shown
        clusters, grouping = study.cluster_map(index), study.grouping
        if not self._on or entry is None or clusters is None or grouping is None:
            return
        agreement = self.measured.group_agreement(index, grouping)
        if agreement is None:
            return
        if entry in self._layers:
            renew_layer(self._layers[entry], agreement, clusters)
        else:
            layer = make_stability_layer(entry, agreement, clusters)
            active = viewer.layers.selection.active
            self._layers[entry] = layer
            layer.visible = not display.previewing
            viewer.add_layer(layer)
            viewer.layers.selection.active = active


def _must_arrive(piece: Any) -> bool:
    return isinstance(piece, CubeStability)
