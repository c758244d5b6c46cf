"""The group under the mouse: lit up on the image, and named beside the mouse.

It flashes where the mouse comes to it. Soon after, it is clear: the tissue below can
be seen, and the groups around it frame it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from napari.layers import Labels, Layer
from napari.viewer import Viewer
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtWidgets import QLabel, QWidget

from napari_dgc.merging.grouping import Group
from napari_dgc.merging.palette import MAX_CLUSTER
from napari_dgc.study import Study
from napari_dgc.ui.canvas import canvas_widget, light_up
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.gestures import CLICK_SLIP, Gestures
from napari_dgc.ui.pointer import Pointer, drop_callback

_BESIDE = QPoint(16, 20)  # canvas pixels from the mouse to its label
_STYLE = (
    "QLabel { background: rgba(20, 20, 20, 215); color: white; padding: 3px 6px;"
    " border-radius: 3px; }"
)
_LONGEST = 48  # characters of a name
_FLASH_MS = 450


class Hover:
    """Lights up the group under the mouse while the mouse is ours.

    Nothing is lit during a drag or a live preview, off the cube, with another
    layer's tool in hand, or while the label layer is hidden.
    """

    def __init__(
        self,
        viewer: Viewer,
        study: Study,
        display: CubeDisplay,
        pointer: Pointer,
        gestures: Gestures,
    ) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._pointer = pointer
        self._gestures = gestures
        self._label: QLabel | None = None
        self._group: Group | None = None
        self._cluster: int | None = None
        self._lit: tuple[Labels, int] | None = None
        self._flash = QTimer()
        self._flash.setSingleShot(True)
        self._flash.setInterval(_FLASH_MS)
        self._flash.timeout.connect(self._on_flash_over)
        self._dragging = False
        self._at = (0.0, 0.0)  # canvas pixels: where the mouse was last
        # Pixels per cluster id of the map on show; None: not counted yet.
        self._counts: np.ndarray | None = None
        viewer.mouse_move_callbacks.append(self._on_mouse_moved)
        viewer.mouse_drag_callbacks.append(self._on_mouse_pressed)
        viewer.layers.selection.events.changed.connect(self._follow)
        pointer.moved.connect(self._follow)
        display.layer_joined.connect(self._on_layer_joined)
        display.shown_changed.connect(self._forget_counts)
        study.map_changed.connect(self._forget_counts)

    def detach(self) -> None:
        """Let go of the viewer."""
        self._show(None)
        self._flash.stop()
        drop_callback(self._viewer.mouse_move_callbacks, self._on_mouse_moved)
        drop_callback(self._viewer.mouse_drag_callbacks, self._on_mouse_pressed)
        self._viewer.layers.selection.events.changed.disconnect(self._follow)
        if self._label is not None:
            self._label.deleteLater()
            self._label = None

    @property
    def group(self) -> Group | None:
        """The group that is lit up and named."""
        return self._group

    @property
    def text(self) -> str:
        """What the label beside the mouse says; empty: it is not there."""
        shown = self._label is not None and not self._label.isHidden()
        return self._label.text() if shown and self._label is not None else ""

    def _follow(self, *_: object) -> None:
        place, layer = self._pointer.place, self._layer
        there = layer is not None and layer.visible and self._gestures.ours
        hover = place is not None and there and not self._dragging
        if place is not None and hover:
            self._show(place.group, place.cluster)
        else:
            self._show(None)

    def _show(self, group: Group | None, cluster: int | None = None) -> None:
        known, self._cluster = (self._group, self._cluster), cluster
        if (group, cluster) == known:
            return
        if group != self._group:
            self._group = group
            self._light(None if group is None else group.value)
        if group is not None:
            self._name(group)
        elif self._label is not None:
            self._label.hide()

    def _light(self, value: int | None) -> None:
        layer = self._layer
        wanted = None if layer is None or value is None else (layer, value)
        if self._lit is not None and (wanted is None or wanted[0] is not self._lit[0]):
            light_up(self._viewer, self._lit[0], None)
        if wanted is None:
            self._flash.stop()
        elif wanted != self._lit:  # a new name or colour is no reason to flash
            self._flash.start()
        self._lit = wanted
        self._draw_light()

    def _draw_light(self) -> None:
        if self._lit is not None:
            clear = not self._flash.isActive()
            light_up(self._viewer, *self._lit, clear=clear)

    def _on_flash_over(self) -> None:
        self._draw_light()

    # -- the label --------------------------------------------------------------

    def _name(self, group: Group) -> None:
        label = self._label or self._make_label()
        if label is None:
            return
        label.setText(self._describe(group))
        label.adjustSize()
        label.show()
        self._move_label(*self._at)
        label.raise_()

    def _describe(self, group: Group) -> str:
        name = group.name
        if len(name) > _LONGEST:
            name = f"{name[: _LONGEST - 1]}…"
        parts = [name, f"{100 * self._share(group):.1f} %"]
        if len(group.clusters) > 1:
            parts.append(f"cluster {self._cluster}")
        if group.locked:
            parts.append("locked")
        return " · ".join(parts)

    def _share(self, group: Group) -> float:
        """Share of the valid pixels of the cube on show, 0..1."""
        if self._counts is None:
            self._counts = np.zeros(MAX_CLUSTER + 1, np.int64)
            counts = self._study.counts(self._display.shown)
            if counts is not None:
                self._counts[: len(counts)] = counts
        pixels = self._counts[list(group.clusters)].sum()
        return float(pixels / max(1, self._counts[1:].sum()))

    def _make_label(self) -> QLabel | None:
        canvas = canvas_widget(self._viewer)
        if canvas is None:
            return None
        # A child of the window: over a child of the canvas each move of the mouse
        # would draw the whole image anew.
        self._label = QLabel(canvas.window())
        self._label.setObjectName("dgc_hover")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setStyleSheet(_STYLE)
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return self._label

    def _move_label(self, x: float, y: float) -> None:
        canvas = canvas_widget(self._viewer)
        if canvas is None or self._label is None or self._label.isHidden():
            return
        self._label.move(_beside(QPoint(round(x), round(y)), self._label, canvas))

    # -- what happens -------------------------------------------------------------

    @property
    def _layer(self) -> Labels | None:
        entry = self._display.entry
        return None if entry is None or entry.groups is None else entry.groups.layer

    def _on_mouse_moved(self, viewer: Viewer, event) -> None:
        # After the pointer's own: it is the older callback.
        self._at = tuple(event.pos)
        self._move_label(*self._at)

    def _on_mouse_pressed(self, viewer: Viewer, event) -> Iterator[None]:
        start = tuple(event.pos)
        yield
        while event.type == "mouse_move":
            if not self._dragging and math.dist(start, tuple(event.pos)) > CLICK_SLIP:
                self._dragging = True
                self._follow()
            yield
        self._dragging = False
        self._at = tuple(event.pos)
        self._follow()
        self._move_label(*self._at)

    def _on_layer_joined(self, layer: Layer) -> None:
        layer.events.mode.connect(self._follow)
        if isinstance(layer, Labels):
            layer.events.visible.connect(self._follow)
            layer.events.colormap.connect(self._on_recolored)

    def _on_recolored(self, event) -> None:
        # napari has sent a new table to the graphics card just now.
        if self._lit is not None and event.source is self._lit[0]:
            self._draw_light()

    def _forget_counts(self, *_: object) -> None:
        self._counts = None


def _beside(mouse: QPoint, label: QWidget, canvas: QWidget) -> QPoint:
    """Right below the mouse; on its other side where the canvas ends."""
    x, y = mouse.x() + _BESIDE.x(), mouse.y() + _BESIDE.y()
    if x + label.width() > canvas.width():
        x = mouse.x() - _BESIDE.x() // 2 - label.width()
    if y + label.height() > canvas.height():
        y = mouse.y() - _BESIDE.y() // 2 - label.height()
    return canvas.mapTo(canvas.window(), QPoint(max(x, 0), max(y, 0)))
