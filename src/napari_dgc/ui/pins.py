"""Pinned pixels: kept in the study's view, marked on the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer

from napari_dgc.study import Study
from napari_dgc.study.view import Pin, View
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_layers import plane_of
from napari_dgc.ui.pointer import Pointer

_NAME = "pinned pixels"
_SIZE = 10  # screen pixels, about
_NOWHERE = "Put the mouse over the cube, then press P to pin the pixel there."


class Pins:
    """Sets and takes pins, and shows those of the cube on show.

    They are marked by a Points layer of ours; who deletes it takes all pins out.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    study : Study
        Keeps the pins.
    display : CubeDisplay
    pointer : Pointer
    say : callable
        Tells the user a line and its level.
    """

    def __init__(
        self,
        viewer: Viewer,
        study: Study,
        display: CubeDisplay,
        pointer: Pointer,
        say: Callable[[str, str], None],
    ) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._pointer = pointer
        self._say = say
        self._layer: Points | None = None
        self._drawn: tuple = ()
        study.view_changed.connect(self._on_view_changed)
        display.shown_changed.connect(self._on_cube_shown)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        self._draw()

    @property
    def layer(self) -> Points | None:
        """The marks on the image, while there are any."""
        return self._layer

    def pin_here(self) -> None:
        """Pin the pixel under the mouse, or unpin it."""
        place = self._pointer.place
        if place is None:
            self._say(_NOWHERE, "warning")
            return
        pin, pins = Pin(place.cube, place.row, place.col), self._study.view.pins
        where = f"row {pin.row}, column {pin.col}"
        if pin in pins:
            self.unpin(pin)
            self._say(f"Unpinned {where}.", "info")
        else:
            self._set((*pins, pin))
            self._say(f"Pinned {where} as {len(pins) + 1}. P again unpins it.", "info")

    def unpin(self, pin: Pin) -> None:
        """Take one pin out."""
        self._set(tuple(p for p in self._study.view.pins if p != pin))

    def unpin_all(self) -> None:
        """Take all pins out."""
        if self._study.view.pins:
            self._set(())
            self._say("Unpinned all pixels.", "info")

    def detach(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)

    def close(self) -> None:
        """Let go of the viewer and take the marks off the image."""
        self.detach()
        self._study.view_changed.disconnect(self._on_view_changed)
        self._display.shown_changed.disconnect(self._on_cube_shown)
        self._remove_layer()

    def _set(self, pins: tuple[Pin, ...]) -> None:
        self._study.set_view(replace(self._study.view, pins=pins))

    # -- the marks --------------------------------------------------------------

    def _on_view_changed(self, view: View) -> None:
        self._draw()

    def _on_cube_shown(self, index: int) -> None:
        self._draw()

    def _draw(self) -> None:
        shown, entry = self._display.shown, self._display.entry
        numbered = [
            (number, pin)
            for number, pin in enumerate(self._study.view.pins, 1)
            if pin.cube == shown
        ]
        drawn = (entry, tuple(numbered))
        if drawn == self._drawn and (self._layer is None) == (not numbered):
            return
        self._drawn = drawn
        if entry is None or not numbered:
            self._remove_layer()
            return
        places = np.array([(pin.row, pin.col) for _, pin in numbered], float)
        numbers = np.array([str(number) for number, _ in numbered])
        # A new layer each time: napari keeps text and points of one layer in step
        # only where they are changed together.
        self._remove_layer()
        bands = entry.bands
        selection = self._viewer.layers.selection
        selected, active = set(selection), selection.active
        layer = Points(
            places,
            name=_NAME,
            features={"number": numbers},
            text={"string": "{number}", "color": "white", "size": 10,
                  "anchor": "upper_left"},
            symbol="disc",
            size=_SIZE,
            canvas_size_limits=(_SIZE, _SIZE),
            face_color="white",
            border_color="black",
            border_width=0.25,
            **plane_of(bands),
        )  # fmt: skip
        layer.editable = False
        self._layer = layer
        self._viewer.add_layer(layer)
        # napari has made it the active one: keys and mouse stay with the map.
        selection.active = active
        selection.update(selected)

    def _remove_layer(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _on_layer_removed(self, event) -> None:
        if event.value is self._layer:
            self._layer = None
            self.unpin_all()
