"""What the mouse does on the image: select, and in Merge mode merge.

It does so whichever layer of ours is active; a tool of another layer, or of ours
(a mode other than pan and zoom), has the mouse for itself. Nothing merges outside
Merge mode, and in it only a drag from one group to another or two Shift-clicks
do; a click that slips a few pixels stays a click.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_dgc.merging.grouping import Group
from napari_dgc.study import Study
from napari_dgc.ui.banner import Banner
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.pointer import Pointer, drop_callback

CLICK_SLIP = 5  # canvas pixels the mouse may move between press and release

_BANNER = "MERGE MODE  ·  Esc leaves"
_HOW = (
    "Drag a group onto another to merge it into that one; or Shift-click the "
    "target, then what goes into it."
)
SNAPSHOT = (
    "This is a snapshot of the training. Groups can be merged when it is ready; to "
    "go on at once, press Stop or untick “Live preview”."
)
NEXT_SNAPSHOT = (
    "This cube follows the training from the next snapshot on; groups can be merged "
    "when it is ready."
)


class Gestures:
    """Turns mouse events on the image into wishes.

    Attributes
    ----------
    clicked : Signal
        Emitted with a group id and whether Ctrl was held.
    merge_wanted : Signal
        Emitted with the source's group id and the target's.
    pointed : Signal
        Emitted with the frozenset of group ids a merge under way would join;
        empty when it is over.
    aimed : Signal
        Emitted with the source's group id and the target's while a drag is over it;
        `pointed` says when that is over.
    said : Signal
        Emitted with a line for the user and its level.
    mode_changed : Signal
        Emitted with whether Merge mode is on.
    """

    clicked = Signal(int, bool)
    merge_wanted = Signal(int, int)
    pointed = Signal(frozenset)
    aimed = Signal(int, int)
    said = Signal(str, str)
    mode_changed = Signal(bool)

    def __init__(
        self, viewer: Viewer, study: Study, display: CubeDisplay, pointer: Pointer
    ) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._pointer = pointer
        # The layers whose panning Merge mode has turned off; none: the mode is off.
        self._armed: tuple[Layer, ...] = ()
        self._target: int | None = None
        self.snapshot_note = SNAPSHOT  # why nothing is merged on a preview
        self._banner = Banner(viewer)
        viewer.mouse_drag_callbacks.append(self._on_pressed)
        viewer.layers.selection.events.active.connect(self._on_active_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        display.layer_joined.connect(self._on_layer_joined)
        display.shown_changed.connect(self._on_cube_shown)

    def detach(self) -> None:
        """Let go of the viewer."""
        active = self._viewer.layers.selection.events.active
        active.disconnect(self._on_active_changed)
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        drop_callback(self._viewer.mouse_drag_callbacks, self._on_pressed)

    @property
    def merging(self) -> bool:
        """Whether Merge mode is on."""
        return bool(self._armed)

    @property
    def target(self) -> int | None:
        """The group Shift-clicked first, waiting for what goes into it."""
        return self._target

    def set_merging(self, on: bool) -> None:
        """Enter or leave Merge mode; it needs a map on the image."""
        if on == self.merging:
            return
        entry = self._display.entry
        groups = None if entry is None else entry.groups
        if on and (groups is None or self._study.grouping is None):
            self.said.emit("Make a map first: press First map.", "warning")
            self.mode_changed.emit(False)
            return
        if on and self._display.previewing:
            self.said.emit(self.snapshot_note, "warning")
            self.mode_changed.emit(False)
            return
        self._drop_target()
        if on and entry is not None and groups is not None:
            if self._viewer.layers.selection.active not in entry.layers:
                self._viewer.layers.selection.active = groups.layer
            for layer in entry.layers:
                self._arm(layer)
        else:
            self._disarm()
        if on:
            self._banner.show(_BANNER)
        else:
            self._banner.hide()
        self.mode_changed.emit(on)
        self.said.emit(_HOW if on else "Merge mode is off: a drag moves the image.", "")

    def toggle_merging(self) -> None:
        """Enter Merge mode, or leave it."""
        self.set_merging(not self.merging)

    @property
    def ours(self) -> bool:
        """Whether the mouse is ours: no other layer and no tool has it."""
        own = {layer for entry in self._display.entries for layer in entry.layers}
        return all(
            layer in own and str(layer.mode) == "pan_zoom"
            for layer in self._viewer.layers.selection
        )

    def _arm(self, layer: Layer) -> None:
        # The camera pans as its active layer says: all of ours, whichever it is.
        layer.mode = "pan_zoom"
        layer.mouse_pan = False
        self._armed += (layer,)

    def _disarm(self) -> None:
        armed, self._armed = self._armed, ()
        for layer in armed:
            layer.mouse_pan = str(layer.mode) == "pan_zoom"

    def _on_layer_joined(self, layer: Layer) -> None:
        entry = self._display.entry
        if self.merging and entry is not None and layer in entry.layers:
            self._arm(layer)

    def _on_layer_removed(self, event) -> None:
        if event.value in self._armed:
            self.set_merging(False)

    def _on_active_changed(self, event) -> None:
        if event.value is None:
            # Between two active layers there is none for a moment.
            QTimer.singleShot(0, self._leave_other_layers)
        else:
            self._leave_other_layers()

    def _leave_other_layers(self) -> None:
        if self.merging and self._viewer.layers.selection.active not in self._armed:
            self.set_merging(False)

    def _on_cube_shown(self, index: int) -> None:
        self.set_merging(False)

    def _on_pressed(self, viewer: Viewer, event) -> Iterator[None]:
        """From press to release; napari advances it with each event."""
        ndim = viewer.dims.ndim
        flat = set(event.dims_displayed) == {ndim - 2, ndim - 1}
        if event.button != 1 or self._display.entry is None or not (flat and self.ours):
            return
        start = tuple(event.pos)
        # vispy's keys compare equal to their names, but do not hash alike.
        modifiers = {m for m in ("Shift", "Control") if m in event.modifiers}
        pressed = self._group_at(event)
        dragged, under = False, pressed
        yield
        while event.type == "mouse_move":
            dragged = dragged or math.dist(start, tuple(event.pos)) > CLICK_SLIP
            if dragged and self.merging and pressed is not None:
                under = self._on_drag_moved(pressed, under, self._group_at(event))
            yield
        dragged = dragged or math.dist(start, tuple(event.pos)) > CLICK_SLIP
        if self._display.previewing:
            self._on_preview_pressed(dragged)
        elif not dragged:
            self._on_group_clicked(pressed, modifiers)
        elif self.merging:
            self._on_drag_released(pressed, self._group_at(event))

    def _on_preview_pressed(self, dragged: bool) -> None:
        if not dragged or self.merging:
            self.said.emit(self.snapshot_note, "warning")

    def _on_group_clicked(self, group: Group | None, modifiers: set[str]) -> None:
        if self.merging and "Shift" in modifiers:
            self._on_group_shift_clicked(group)
            return
        self._drop_target()
        if group is not None:
            self.clicked.emit(group.id, "Control" in modifiers)

    def _on_group_shift_clicked(self, group: Group | None) -> None:
        if group is None:
            self.said.emit("There is no group here. " + _HOW, "warning")
        elif self._target is None:
            self._target = group.id
            self.pointed.emit(frozenset({group.id}))
            self.said.emit(
                f"Into {group.name}: now Shift-click the group that shall go into "
                "it (Esc: never mind).",
                "info",
            )
        elif group.id == self._target:
            self._drop_target()
            self.said.emit(_HOW, "info")
        else:
            target = self._target
            self._drop_target()
            self.merge_wanted.emit(group.id, target)

    def _on_drag_moved(
        self, source: Group, before: Group | None, under: Group | None
    ) -> Group | None:
        if under is not before or before is source:
            ids = {source.id} | ({under.id} if under is not None else set())
            self.pointed.emit(frozenset(ids))
            if under is not None and under.id != source.id:
                text = f"Release: {source.name} goes into {under.name}."
            else:
                text = f"{source.name}: drag onto the group it shall go into."
            self.said.emit(text, "info")
            if under is not None and under.id != source.id:
                self.aimed.emit(source.id, under.id)
        return under

    def _on_drag_released(self, source: Group | None, target: Group | None) -> None:
        self.pointed.emit(frozenset())
        if source is None or target is None:
            self.said.emit("Nothing merged: there is no group there.", "warning")
        elif source.id == target.id:
            self.said.emit(
                "Nothing merged: that was one and the same group.", "warning"
            )
        else:
            self._drop_target()
            self.merge_wanted.emit(source.id, target.id)

    def _drop_target(self) -> None:
        if self._target is not None:
            self._target = None
            self.pointed.emit(frozenset())

    def _group_at(self, event) -> Group | None:
        place = self._pointer.place_of(event)
        return None if place is None else place.group
