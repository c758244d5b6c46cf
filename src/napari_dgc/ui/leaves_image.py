"""Leaves on the image: outlines, names, clicks, painting and cutting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_dgc.reports.region_edits import is_own
from napari_dgc.ui.banner import Banner
from napari_dgc.ui.canvas import camera_of, canvas_widget
from napari_dgc.ui.cube_entry import Entry, close_layers
from napari_dgc.ui.gestures import CLICK_SLIP
from napari_dgc.ui.leaves_layer import (
    mark_outlines,
    outline_layer,
    painting_layer,
    plain_regions,
    shade_layer,
)
from napari_dgc.ui.leaves_names import LeafNames, Mark
from napari_dgc.ui.pointer import drop_callback
from napari_dgc.ui.workspace import Workspace

_CUTTING = "CUT A LEAF  ·  Esc: never mind"
_EDITING = "EDITING LEAVES  ·  press Done or Discard"


class LeavesImage(QObject):
    """The layer of one cube's leaves, the names upon it, and the mouse there.

    Attributes
    ----------
    layer : napari.layers.Labels or None
        On show now.
    painting, cutting : bool

    Signals
    -------
    clicked : int
        A leaf on the image, 0 beside all.
    line_drawn : list of (row, column)
        While cutting.
    mode_changed : ()
        Painting or cutting began or ended.
    """

    clicked = Signal(int)
    line_drawn = Signal(list)
    mode_changed = Signal()

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._viewer = workspace.viewer
        self._banner = Banner(workspace.viewer)
        self._entry: Entry | None = None
        self._regions: NDArray[np.uint16] | None = None
        self._on = False
        self._chosen: frozenset[int] = frozenset()
        self._names: LeafNames | None = None
        self._area: NDArray[np.bool_] | None = None
        self._shade: Labels | None = None
        self.layer: Labels | None = None
        self.painting = self.cutting = False
        self._viewer.mouse_drag_callbacks.append(self._on_pressed)
        self._viewer.layers.events.removed.connect(self._on_layer_removed)
        self._viewer.layers.selection.events.active.connect(self._on_active_changed)

    def detach(self) -> None:
        """Let go of the viewer; layers stay."""
        drop_callback(self._viewer.mouse_drag_callbacks, self._on_pressed)
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._viewer.layers.selection.events.active.disconnect(self._on_active_changed)
        if self._names is not None:
            self._names.detach()
            self._names = None

    # -- what is shown ------------------------------------------------------------

    def show(
        self,
        entry: Entry | None,
        regions: NDArray[np.uint16] | None,
        marks: Sequence[tuple[int, str, tuple[int, int]]] = (),
        area: NDArray[np.bool_] | None = None,
    ) -> None:
        """Show a cube's leaves, (H, W), with number, name and (row, column) of each.

        None: no leaves. What lies outside an area is darkened. While they are painted
        the picture stays.
        """
        if self.painting:
            return
        self._shade_outside(entry, area)
        same = entry is self._entry
        if regions is not self._regions and same and self._renew(regions):
            self._regions = regions
        elif regions is not self._regions or not same:
            self._remove()
            self._entry, self._regions = entry, regions
            if entry is not None and regions is not None:
                self._add(outline_layer(entry, regions))
                self.choose(self._chosen)
        self._name(marks)

    def _renew(self, regions: NDArray[np.uint16] | None) -> bool:
        """Give the layer other leaves; a new one would cost half a second.

        Returns
        -------
        bool
            False where there is none, or it cannot hold them.
        """
        if self.layer is None or regions is None:
            return False
        data = plain_regions(regions)
        if self.layer.data.dtype != data.dtype or self.layer.data.shape != data.shape:
            return False
        self.end_cutting()
        self.layer.data = data
        return True

    def _shade_outside(self, entry: Entry | None, area: NDArray | None) -> None:
        if entry is None or (area is not None and area.shape != entry.cube.shape[1:]):
            area = None
        if area is not self._area:
            shade, self._shade, self._area = self._shade, None, area
            if shade is not None:
                close_layers(self._viewer, [shade])
            if area is not None and entry is not None:
                self._shade = shade_layer(entry, area)
                self._insert(self._shade)

    def choose(self, numbers: frozenset[int]) -> None:
        """Let some leaves stand out."""
        self._chosen = numbers
        if self.layer is not None and not self.painting:
            mark_outlines(self.layer, numbers)
        if self._names is not None:
            self._names.show_marks(self._names.marks, numbers)

    def go_to(self, place: tuple[int, int]) -> None:
        """Have a pixel (row, column) in the middle of the picture."""
        if self._entry is not None:
            y, x = self._world(place)
            camera = camera_of(self._viewer)
            camera.center = (*camera.center[:-2], y, x)

    def _name(self, marks: Sequence[tuple[int, str, tuple[int, int]]]) -> None:
        if self._names is None and marks:
            canvas = canvas_widget(self._viewer)
            if canvas is not None:
                self._names = LeafNames(self._viewer, canvas)
        if self._names is None:
            return
        drawn = [
            Mark(number, name if is_own(name) else "", *self._world(place))
            for number, name, place in marks
            if min(place) >= 0
        ]
        self._names.show_marks(drawn, self._chosen)
        self._names.setVisible(bool(drawn) or self.cutting)

    def _world(self, place: tuple[int, int]) -> tuple[float, float]:
        if self._entry is None:
            return 0.0, 0.0
        y, x = self._entry.bands.data_to_world((0, *place))[-2:]
        return float(y), float(x)

    # -- painting and cutting -----------------------------------------------------

    def begin_painting(self, entry: Entry, number: int) -> None:
        """Have the leaves in a layer that the user paints in."""
        _, H, W = entry.cube.shape
        regions = self._regions
        if regions is None:
            regions = np.zeros((H, W), np.uint16)
        self.end_cutting()
        self._remove()
        self._entry, self.painting = entry, True
        layer = painting_layer(entry, regions, number)
        self._add(layer, active=True)
        layer.mode = "paint"  # not before: napari's tools follow what happens to it
        self._name(())
        self._banner.show(_EDITING)
        self.mode_changed.emit()

    def end_painting(self) -> NDArray[np.integer] | None:
        """Take the layer away; gives what is painted, None where it is gone."""
        if not self.painting:
            return None
        painted = None if self.layer is None else np.asarray(self.layer.data)
        self.painting = False
        self._banner.hide()
        self._remove()
        self._regions, self._entry = None, None
        self.mode_changed.emit()
        return painted

    def begin_cutting(self) -> None:
        """Have the next drag on the image draw a line."""
        if self.layer is None or self.painting:
            return
        self.cutting = True
        self._viewer.layers.selection.active = self.layer
        self.layer.mouse_pan = False
        self.layer.bind_key("Escape", lambda _: self.end_cutting(), overwrite=True)
        self._banner.show(_CUTTING)
        self.mode_changed.emit()

    def end_cutting(self) -> None:
        """Have the mouse move the image again."""
        if not self.cutting:
            return
        self.cutting = False
        self._banner.hide()
        if self._names is not None:
            self._names.show_line(())
        if self.layer is not None:
            self.layer.mouse_pan = True
            self._activate_groups()
        self.mode_changed.emit()

    def _on_pressed(self, viewer: Viewer, event) -> Iterator[None]:
        entry, regions = self._entry, self._regions
        flat = set(event.dims_displayed) == {viewer.dims.ndim - 2, viewer.dims.ndim - 1}
        if event.button != 1 or not flat or self.painting:
            return
        shown = self._workspace.display.entry
        if entry is None or regions is None or entry is not shown:
            return
        start, cutting = tuple(event.pos), self.cutting
        drawn, line = [start], [entry.bands.world_to_data(event.position)[-2:]]
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = dragged or math.dist(start, tuple(event.pos)) > CLICK_SLIP
            if cutting:
                drawn.append(tuple(event.pos))
                line.append(entry.bands.world_to_data(event.position)[-2:])
                if self._names is not None:
                    self._names.show_line(drawn)
            yield
        if cutting and dragged and self.cutting:
            line.append(entry.bands.world_to_data(event.position)[-2:])
            self.end_cutting()
            self.line_drawn.emit([(float(r), float(c)) for r, c in line])
        elif not dragged and not cutting:
            place = self._workspace.pointer.place_of(event)
            number = 0 if place is None else int(regions[place.row, place.col])
            self.clicked.emit(number)

    # -- layers ---------------------------------------------------------------------

    def _add(self, layer: Labels, *, active: bool = False) -> None:
        self.layer = layer
        self._insert(layer)
        if active:
            self._viewer.layers.selection.active = layer

    def _insert(self, layer: Labels) -> None:
        """Add a layer; the one that has keys and mouse keeps them."""
        before = self._viewer.layers.selection.active
        self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = before

    def _remove(self) -> None:
        self.end_cutting()
        layer, self.layer = self.layer, None
        if layer is not None:
            was_active = self._viewer.layers.selection.active == layer
            close_layers(self._viewer, [layer])
            if was_active:
                self._activate_groups()

    def _activate_groups(self) -> None:
        entry = self._workspace.display.entry
        if entry is not None and entry.groups is not None:
            self._viewer.layers.selection.active = entry.groups.layer

    def _on_layer_removed(self, event) -> None:
        if event.value is self._shade:
            self._shade = None
        if event.value is not self.layer:
            return
        self.layer = None
        self.end_cutting()
        if self.painting:
            self.end_painting()

    def _on_active_changed(self, event) -> None:
        if self.cutting and event.value is not None and event.value != self.layer:
            self.end_cutting()
