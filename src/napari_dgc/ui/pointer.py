"""What lies under the mouse: cube, pixel, cluster and group."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
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
        viewer.mouse_drag_callbacks.append(self._on_mouse_pressed)
        viewer.events.mouse_over_canvas.connect(self._on_canvas_entered)
        display.shown_changed.connect(self._on_cube_shown)
        display.previewing_changed.connect(self.refresh)
        study.grouping_changed.connect(self.refresh)
        study.map_changed.connect(self.refresh)

    def detach(self) -> None:
        """Let go of the viewer."""
        drop_callback(self._viewer.mouse_move_callbacks, self._on_mouse_moved)
        drop_callback(self._viewer.mouse_drag_callbacks, self._on_mouse_pressed)
        self._viewer.events.mouse_over_canvas.disconnect(self._on_canvas_entered)

    @property
    def place(self) -> Place | None:
        """Where the mouse was last."""
        return self._place

    def place_of(self, event) -> Place | None:
        """Find the pixel of the cube on show under a mouse event of napari's.

        None off the cube, in 3-D, and where the axes on show are not y and x.
        """
        ndim = self._viewer.dims.ndim
        flat = set(event.dims_displayed) == {ndim - 2, ndim - 1}
        return self.place_at(event.position) if flat else None

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

    def refresh(self, *_: object) -> None:
        """Look again at what lies under the resting mouse."""
        place = self._place
        if place is not None and self._display.shown == place.cube:
            self._go_to(self.at(place.row, place.col))

    def _on_mouse_moved(self, viewer: Viewer, event) -> None:
        self._go_to(self.place_of(event))

    def _on_mouse_pressed(self, viewer: Viewer, event) -> Iterator[None]:
        # While a button is down napari tells the drag callbacks alone.
        yield
        while event.type == "mouse_move":
            self._go_to(self.place_of(event))
            yield
        self._go_to(self.place_of(event))

    def _on_canvas_entered(self, event) -> None:
        if not event.value:
            self._go_to(None)

    def _on_cube_shown(self, index: int) -> None:
        self._go_to(None)

    def _go_to(self, place: Place | None) -> None:
        if place != self._place:
            self._place = place
            self.moved.emit(place)


def drop_callback(callbacks: list[Callable], own: Callable) -> None:
    """Take a callback out of one of the viewer's lists, if it is still there."""
    if own in callbacks:
        callbacks.remove(own)
