"""The layer that shows where groups and labels agree, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_dgc.merging.palette import Color
from napari_dgc.study.evaluating.comparison import (
    ELSEWHERE,
    FALSE,
    MISSED,
    RIGHT,
    WRONG,
    Comparison,
    GroupMap,
)
from napari_dgc.ui.cube_entry import Entry, close_layers
from napari_dgc.ui.cube_layers import plane_of
from napari_dgc.ui.workspace import Workspace

_KINDS = 6  # of difference

# Told apart by all kinds of colour sight (Okabe and Ito 2008), and from leaves.
COLORS: dict[int, Color] = {
    RIGHT: (0, 158, 115),
    MISSED: (230, 97, 0),
    FALSE: (86, 180, 233),
    WRONG: (230, 97, 0),
    ELSEWHERE: (0, 0, 0),
}
_OPACITY = {ELSEWHERE: 0.75}  # the leaf shines through where the class is not
WORDS = {
    RIGHT: "right",
    MISSED: "missed",
    FALSE: "false",
    WRONG: "wrong",
    ELSEWHERE: "elsewhere",
}


def make_difference_layer(entry: Entry, differences: NDArray[np.uint8]) -> Labels:
    """Make the layer "NAME differences" that lies on a cube.

    Parameters
    ----------
    entry : Entry
    differences : ndarray of uint8, shape (H, W)
        As `napari_dgc.study.evaluating.comparison.Comparison.differences` gives them.
    """
    colors: dict[int | None, tuple[float, ...]] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0)}
    for value, (red, green, blue) in COLORS.items():
        opacity = _OPACITY.get(value, 0.9)
        colors[value] = (red / 255, green / 255, blue / 255, opacity)
    layer = Labels(
        differences,
        name=f"{entry.cube.name} differences",
        colormap=DirectLabelColormap(color_dict=colors),
        opacity=1.0,
        features={"index": list(WORDS), "difference": list(WORDS.values())},
        **plane_of(entry.bands),
    )
    layer.editable = False
    return layer


class DifferenceLayers:
    """One such layer for each cube that was compared, that of the cube on show seen.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._layers: dict[Entry, Labels] = {}

    def draw(
        self,
        maps: Mapping[Entry, GroupMap],
        comparison: Comparison | None,
        chosen: str | None,
    ) -> NDArray[np.int64]:
        """Draw the differences of the cube on show, and no other's.

        Parameters
        ----------
        maps : mapping of Entry to GroupMap
            What was compared; empty: draw nothing.
        comparison : Comparison or None
        chosen : str or None
            As for `Comparison.differences`.

        Returns
        -------
        ndarray of int64, shape (6,)
            Pixels of the cube on show by kind of difference.
        """
        display, viewer = self._workspace.display, self._workspace.viewer
        compared = maps if comparison is not None else {}
        seen = None if display.previewing else display.entry
        for entry, layer in list(self._layers.items()):
            if entry not in compared or entry not in display.entries:
                del self._layers[entry]
                close_layers(viewer, [layer])
            elif layer not in viewer.layers:  # the user has removed it
                del self._layers[entry]
            else:
                layer.visible = entry is seen
        if seen is None or seen not in compared or comparison is None:
            return np.zeros(_KINDS, np.int64)
        found = comparison.differences(compared[seen], chosen)
        self._show(seen, found)
        return np.bincount(found.ravel(), minlength=_KINDS)

    def _show(self, entry: Entry, differences: NDArray[np.uint8]) -> None:
        layer, viewer = self._layers.get(entry), self._workspace.viewer
        if layer is not None:
            if not np.array_equal(differences, layer.data):
                layer.data = differences
            return
        active = viewer.layers.selection.active
        self._layers[entry] = layer = make_difference_layer(entry, differences)
        viewer.add_layer(layer)
        viewer.layers.selection.active = active
