"""Bands that lie wholly under their cube's picture are not drawn.

Nobody sees them, and they are a quarter of the time that a drawing takes without a
graphics card. The layer itself stays visible: the bands are there as soon as the
picture is hidden, moved or made clearer.
"""

from __future__ import annotations

import contextlib

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer

from napari_dgc.ui.canvas import visual_of
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_entry import Entry

_PLAIN = ("translucent", "translucent_no_depth", "opaque")
_EVENTS = ("visible", "opacity", "blending", "scale", "translate", "rotate", "affine")


class Covering:
    """Watches which bands are covered.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    display : CubeDisplay
    """

    def __init__(self, viewer: Viewer, display: CubeDisplay) -> None:
        self._viewer = viewer
        self._display = display
        # Last: napari's own answer to an event draws the bands again.
        for event in self._events():
            event.connect(self.renew, position="last")
        display.layer_joined.connect(self._on_layer_joined)

    def detach(self) -> None:
        """Let go of the viewer; all that is visible is drawn."""
        for event in self._events():
            event.disconnect(self.renew)
        for entry in self._display.entries:
            for layer in entry.layers:
                for name in _EVENTS:
                    # A layer that never joined has nothing to let go of.
                    with contextlib.suppress(ValueError):
                        getattr(layer.events, name).disconnect(self.renew)
            self._draw(entry, True)

    def renew(self, event: object = None) -> None:
        """Draw the bands that can be seen, and no others."""
        for entry in self._display.entries:
            self._draw(entry, not self._covered(entry))

    def _events(self) -> list:
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        return [layers.inserted, layers.reordered, layers.removed, dims.ndisplay]

    def _on_layer_joined(self, layer: Layer) -> None:
        for name in _EVENTS:
            getattr(layer.events, name).connect(self.renew, position="last")
        self.renew()

    def _draw(self, entry: Entry, seen: bool) -> None:
        node = getattr(visual_of(self._viewer, entry.bands), "node", None)
        if node is not None:
            node.visible = seen and entry.bands.visible

    def _covered(self, entry: Entry) -> bool:
        bands, picture, layers = entry.bands, entry.picture, self._viewer.layers
        if picture is None or self._viewer.dims.ndisplay != 2:
            return False
        if bands not in layers or picture not in layers:
            return False
        return (
            picture.visible
            and picture.opacity == 1
            and picture.blending in _PLAIN
            and picture.data.shape[-1] == 3  # a fourth channel may be clear
            and layers.index(picture) > layers.index(bands)
            and np.allclose(picture.extent.world, bands.extent.world[:, -2:])
        )
