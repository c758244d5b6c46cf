"""Which cube a layer of the viewer holds, or is the picture of."""

from __future__ import annotations

from napari.layers import Image, Layer

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.cube_layers import CUBE_KEY


def cube_of(layer: Layer) -> Cube | None:
    """Give the cube that our reader put into a layer's metadata."""
    cube = layer.metadata.get(CUBE_KEY)
    return cube if isinstance(cube, Cube) and isinstance(layer, Image) else None


def is_picture_of(layer: Layer, cube: Cube) -> bool:
    """Whether a layer is the RGB picture that came with a cube."""
    fits = isinstance(layer, Image) and layer.rgb
    return (
        fits
        and layer.data.shape[:2] == cube.shape[1:]
        and layer.name.startswith(f"{cube.name} RGB")
    )


def plain_cube(layer: Layer) -> Cube | None:
    """Take a 3-D image layer for a cube, first axis = bands."""
    fits = isinstance(layer, Image) and not layer.rgb and not layer.multiscale
    if not fits or layer.data.ndim != 3 or len(layer.data) < 2:
        return None
    return Cube(layer.data, name=layer.name)
