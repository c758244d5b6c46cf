"""The layer "NAME leaves": outlines to look at, or areas to paint."""

from __future__ import annotations

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.cube_layers import plane_of

LEAVES_KEY = "napari_dgc_leaves"
"""In the metadata of the layers of leaves: the name of the cube."""

_FEW = 200  # leaves of which uint8 has room for more; 65,536 colours take long
_WHITE, _YELLOW = (1.0, 1.0, 1.0, 1.0), (1.0, 0.82, 0.0, 1.0)
_CLEAR = (0.0, 0.0, 0.0, 0.0)
_PAINTED, _SHADE = 0.55, 0.6  # opacities


def outline_layer(entry: Entry, regions: NDArray[np.uint16]) -> Labels:
    """Make a layer of the outlines of leaves, (H, W); nobody can paint in it."""
    layer = Labels(
        plain_regions(regions),
        name=f"{entry.cube.name} leaves",
        opacity=1.0,
        colormap=_colors(frozenset()),
        metadata={LEAVES_KEY: entry.cube.name},
        **plane_of(entry.bands),
    )
    layer.contour = max(1, round(max(regions.shape) / 250))
    layer.editable = False
    return layer


def painting_layer(entry: Entry, regions: NDArray[np.uint16], number: int) -> Labels:
    """Make a layer to paint leaves in, with a number in the brush."""
    layer = Labels(
        regions.copy(),
        name=f"{entry.cube.name} leaves (editing)",
        opacity=_PAINTED,
        metadata={LEAVES_KEY: entry.cube.name},
        **plane_of(entry.bands),
    )
    layer.selected_label = number
    layer.brush_size = max(2, round(max(regions.shape) / 40))
    return layer


def shade_layer(entry: Entry, area: NDArray[np.bool_]) -> Labels:
    """Make a layer that darkens what lies outside an area, (H, W)."""
    shade = {None: _CLEAR, 0: _CLEAR, 1: (0.0, 0.0, 0.0, 1.0), 255: _CLEAR}
    layer = Labels(
        (~area).astype(np.uint8),
        name=f"{entry.cube.name} outside",
        opacity=_SHADE,
        colormap=DirectLabelColormap(color_dict=shade),
        metadata={LEAVES_KEY: entry.cube.name},
        **plane_of(entry.bands),
    )
    layer.editable = False
    return layer


def mark_outlines(layer: Labels, chosen: frozenset[int]) -> None:
    """Draw the outlines of some leaves in yellow, all others white."""
    layer.colormap = _colors(chosen)


def plain_regions(regions: NDArray[np.uint16]) -> NDArray[np.integer]:
    """Give leaves, (H, W), as uint8 where it has room for them."""
    small = int(regions.max(initial=0)) <= _FEW
    return regions.astype(np.uint8) if small else regions


def _colors(chosen: frozenset[int]) -> DirectLabelColormap:
    # Value 255 or so is always there: a table of two is taken for none at all.
    table = {None: _WHITE, 0: _CLEAR, 255: _WHITE}
    return DirectLabelColormap(color_dict=table | dict.fromkeys(chosen, _YELLOW))
