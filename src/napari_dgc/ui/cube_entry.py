"""A cube of the study and the napari layers that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from napari.layers import Image, Layer
from napari.viewer import Viewer

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.cube_layers import CUBE_KEY
from napari_dgc.ui.label_layer import GroupLayer
from napari_dgc.ui.layer_cubes import is_picture_of


@dataclass(slots=True, eq=False, weakref_slot=True)
class Entry:
    """A cube of the study with its layers."""

    cube: Cube
    bands: Image
    picture: Image | None = None
    groups: GroupLayer | None = None

    @property
    def layers(self) -> list[Layer]:
        """All layers there are."""
        own = None if self.groups is None else self.groups.layer
        return [layer for layer in (self.bands, self.picture, own) if layer is not None]


def entry_for_picture(layer: Layer, entries: Iterable[Entry]) -> Entry | None:
    """Find the cube that an RGB layer is the picture of, if it still has none."""
    entries = list(entries)
    if not isinstance(layer, Image) or not layer.rgb:
        return None
    if any(layer is entry.picture for entry in entries):
        return None
    lone = (entry for entry in entries if entry.picture is None)
    return next((entry for entry in lone if is_picture_of(layer, entry.cube)), None)


def renew_entry(entry: Entry, cube: Cube, limits: tuple[float, float]) -> None:
    """Show the same cube prepared otherwise: other values in the same layers."""
    bands = entry.bands
    entry.cube = cube
    bands.metadata = {**bands.metadata, CUBE_KEY: cube}
    bands.data = cube.data
    bands.contrast_limits_range = limits
    bands.contrast_limits = limits


def close_layers(
    viewer: Viewer, layers: Iterable[Layer], keep: Iterable[Layer] = ()
) -> None:
    """Take layers out of a viewer, but those to keep and those not in it."""
    kept = list(keep)
    for layer in layers:
        if layer in viewer.layers and not any(layer is one for one in kept):
            viewer.layers.remove(layer)
