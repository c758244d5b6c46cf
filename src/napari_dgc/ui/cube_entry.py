"""A cube of the study and the napari layers that show it."""

from __future__ import annotations

from dataclasses import dataclass

from napari.layers import Image, Layer

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.label_layer import GroupLayer


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
