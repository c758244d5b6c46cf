"""A rectangle drawn on the image: the white or grey tile in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.layers import Shapes
from napari.viewer import Viewer
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.ui.cube_entry import Entry, close_layers
from napari_dgc.ui.cube_layers import plane_of

_YELLOW = "#ffd000"


class GreyTile:
    """A Shapes layer of ours in which one rectangle is drawn; a new one replaces it.

    Attributes
    ----------
    changed : Signal
        Another rectangle is there, or none.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer, tell: Callable[[], None]) -> None:
        self._viewer = viewer
        self._layer: Shapes | None = None
        self.entry: Entry | None = None
        self.changed.connect(lambda: tell())

    @property
    def layer(self) -> Shapes | None:
        """The layer, while it is open."""
        there = self._layer is not None and self._layer in self._viewer.layers
        return self._layer if there else None

    def open(self, entry: Entry) -> None:
        """Let the user draw on a cube; what was drawn on another one is gone."""
        if self.layer is not None and self.entry is entry:
            self._activate()
            return
        self.close()
        self.entry = entry
        self._layer = Shapes(
            ndim=2,
            name=f"{entry.cube.name} tile",
            edge_color=_YELLOW,
            face_color=f"{_YELLOW}30",
            edge_width=max(1.0, max(entry.cube.shape[1:]) / 250),
            **plane_of(entry.bands),
        )
        self._viewer.add_layer(self._layer)
        self._layer.events.data.connect(self._on_drawn)
        self._activate()

    def close(self) -> None:
        """Take the layer away; the image's own layer is active again."""
        layer, entry = self.layer, self.entry
        self._layer = self.entry = None
        if layer is None:
            return
        layer.events.data.disconnect(self._on_drawn)
        close_layers(self._viewer, [layer])
        if entry is not None and entry.bands in self._viewer.layers:
            self._viewer.layers.selection.active = entry.layers[-1]

    def mask(self) -> NDArray[np.bool_] | None:
        """Its pixels, (H, W); None where nothing is drawn."""
        layer, entry = self.layer, self.entry
        if layer is None or entry is None or not len(layer.data):
            return None
        mask = np.asarray(layer.to_masks(entry.cube.shape[1:])[-1], bool)
        return mask if mask.any() else None

    def _activate(self) -> None:
        layer = self.layer
        if layer is not None:
            self._viewer.layers.selection.active = layer
            layer.mode = "add_rectangle"

    def _on_drawn(self, event) -> None:
        # While it is being dragged napari tells of each step; it counts once drawn.
        if str(event.action) in ("added", "changed", "removed"):
            self.changed.emit()

    def keep_last(self) -> None:
        """Drop all rectangles but the one drawn last."""
        layer = self.layer
        if layer is not None and len(layer.data) > 1:
            layer.selected_data = set(range(len(layer.data) - 1))
            layer.remove_selected()
