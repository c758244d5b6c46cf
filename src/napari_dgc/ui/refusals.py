"""Cubes that do not fit the study: hidden, and what to do about it said."""

from __future__ import annotations

from collections.abc import Sequence

from napari.layers import Layer
from napari.viewer import Viewer

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.layer_cubes import is_picture_of

_REMEDY = (
    "it is hidden: remove the other cubes first and press “Use layers”, or open it "
    "in a new window"
)


class Refusals:
    """Remembers refused cubes until their pictures have come too."""

    def __init__(self) -> None:
        self._cubes: list[Cube] = []

    def add(self, cube: Cube, bands: Layer, error: ValueError) -> ValueError:
        """Hide a cube's bands; gives the error to tell."""
        bands.visible = False
        if cube not in self._cubes:
            self._cubes.append(cube)
        if isinstance(error, InputError):
            return InputError(error.source, error.fault, _REMEDY)
        return error

    def hide_pictures(self, viewer: Viewer, entries: Sequence[Entry]) -> None:
        """Hide the pictures of refused cubes, and forget those cubes."""
        for cube in self._cubes:
            for layer in viewer.layers:
                own = any(layer in entry.layers for entry in entries)
                if not own and is_picture_of(layer, cube):
                    layer.visible = False
        self._cubes.clear()
