"""What lies under the mouse: cube, pixel, cluster and group."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari.viewer import Viewer
from psygnal import Signal

from napari_dgc.merging.grouping import Group
from napari_dgc.study import Study
from napari_dgc.ui.cube_display import CubeDisplay


@dataclass(frozen=True, slots=True)
class Place:
    """One pixel of a cube of the study.

    Attributes
    ----------
    cube : int
        The cube's place in the study.
    row, col : int
    cluster : int
        0 for no data or no map.
    group : Group, optional
        The group of that cluster.
    """

    cube: int
    row: int
    col: int
    cluster: int = 0
    group: Group | None = None


class Pointer:
    """Follows the mouse over the cube on show, whichever layer is active.

    Attributes
    ----------
    moved : Signal
        Emitted with the `Place` under the mouse, or None off the cube; only when
        the pixel, or what lies there, is another one.
    """

    moved = Signal(object)

    def __init__(self, viewer: Viewer, study: Study, display: CubeDisplay) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._place: Place | None = None
        viewer.mouse_move_callbacks.append(self._on_mouse_moved)
        display.shown_changed.connect(self._on_cube_shown)

    def detach(self) -> None:
        """Let go of the viewer."""
        if self._on_mouse_moved in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._on_mouse_moved)

    @property
    def place(self) -> Place | None:
        """Where the mouse was last."""
        return self._place

    def place_at(self, position: tuple[float, ...]) -> Place | None:
        """Find the pixel of the cube on show at a place in the world."""
        entry = self._display.entry
        if entry is None:
            return None
        _, H, W = entry.cube.shape
        row, col = (
            math.floor(value + 0.5)
            for value in entry.bands.world_to_data(position)[-2:]
        )
        if not (0 <= row < H and 0 <= col < W):
            return None
        return self.at(row, col)

    def at(self, row: int, col: int) -> Place:
        """Say what lies at a pixel of the cube on show."""
        shown = self._display.shown
        clusters, grouping = self._study.cluster_map(shown), self._study.grouping
        if clusters is None or grouping is None or self._display.previewing:
            return Place(shown, row, col)
        cluster = int(clusters[row, col])
        group = grouping.group_of(cluster) if cluster else None
        return Place(shown, row, col, cluster, group)

    def _on_mouse_moved(self, viewer: Viewer, event) -> None:
        flat = len(event.dims_displayed) == 2
        self._go_to(self.place_at(event.position) if flat else None)

    def _on_cube_shown(self, index: int) -> None:
        self._go_to(None)

    def _go_to(self, place: Place | None) -> None:
        if place != self._place:
            self._place = place
            self.moved.emit(place)
