"""The label layers: each cube's cluster map in the colours of its groups.

A layer holds label values (a group's lowest cluster id), so that what napari
saves or measures is the group map. The cluster map itself is never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.palette import MAX_CLUSTER, Color, cluster_color
from napari_dgc.ui.canvas import set_colors
from napari_dgc.ui.cube_layers import plane_of

LABELS_KEY = "napari_dgc_labels"
"""In the metadata of our label layers: the name of the cube."""

APART_KEY = "napari_dgc_apart"
"""There too: label values that are shown for now, and the group's own for each."""

OPACITY = 0.7
_DIMMED = 0.18  # of a colour's full opacity, where other groups are selected

RGBA = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Looks:
    """How groups are drawn, beside their colours.

    Attributes
    ----------
    highlighted : frozenset of int
        Group ids; where there are any, all others are dimmed.
    hidden : frozenset of int
        Ids of groups that are not drawn.
    members : frozenset of int
        Ids of clusters highlighted within their groups, whose other pixels are
        dimmed.
    """

    highlighted: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    members: frozenset[int] = frozenset()


_PLAIN = Looks()


class GroupLayer:
    """One cube's label layer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer will be shown.
    image : napari.layers.Image
        The cube's layer: scale, translate, units and axis labels of its last
        two axes are taken over.
    name : str
        The cube's name.
    """

    def __init__(self, viewer: Viewer, image: Image, name: str) -> None:
        self._viewer = viewer
        H, W = image.data.shape[-2:]
        self._values = np.zeros((H, W), np.uint8)
        self._colors: dict[int | None, RGBA] = {}
        self.layer = Labels(
            self._values,
            name=f"{name} groups",
            **plane_of(image),
            opacity=OPACITY,
            metadata={LABELS_KEY: name},
            colormap=DirectLabelColormap(color_dict=_color_dict({}, frozenset())),
        )
        self.layer.editable = False

    def show_groups(
        self,
        clusters: NDArray[np.uint8],
        grouping: Grouping,
        looks: Looks = _PLAIN,
    ) -> None:
        """Draw a cluster map, (H, W) uint8, by groups."""
        lut = _member_lut(grouping, looks.members)
        whole = grouping.lut()
        self.layer.metadata[APART_KEY] = {
            int(lut[c]): int(whole[c]) for c in grouping.clusters if lut[c] != whole[c]
        }
        self._draw(clusters, lut, _group_colors(grouping, looks))

    def show_clusters(self, clusters: NDArray[np.uint8], ids: Iterable[int]) -> None:
        """Draw a map of these cluster ids as it is, in the clusters' own colours."""
        colors = {cluster: cluster_color(cluster) for cluster in ids}
        lut = np.arange(MAX_CLUSTER + 1, dtype=np.uint8)
        self._draw(clusters, lut, _color_dict(colors, frozenset()))

    def recolor(self, grouping: Grouping, looks: Looks) -> None:
        """Draw the same groups with other looks."""
        self._recolor(_group_colors(grouping, looks))

    def describe(self, grouping: Grouping | None) -> None:
        """Renew what the layer list and the status bar say about the map.

        Kept out of drawing: the picture in the list and the names cost 5 ms.
        """
        groups = () if grouping is None else grouping.groups
        self.layer.features = {
            "index": [0, *(group.value for group in groups)],
            "group": ["no data", *(group.name for group in groups)],
        }
        self.layer.refresh(extent=False, highlight=False, data_displayed=False)

    def clear(self) -> None:
        """Show nothing."""
        self._values[...] = 0
        self.layer.refresh(extent=False)

    def _draw(
        self,
        clusters: NDArray[np.uint8],
        lut: NDArray[np.uint8],
        colors: dict[int | None, RGBA],
    ) -> None:
        # In place: at 1000 x 1000 assigning `data` costs 10 ms more.
        np.take(lut, clusters, out=self._values, mode="clip")
        # A new colormap refreshes the layer, so the values come along with it.
        if not self._recolor(colors):
            self.layer.refresh(extent=False, thumbnail=False, highlight=False)

    def _recolor(self, colors: dict[int | None, RGBA]) -> bool:
        if colors == self._colors:
            return False
        self._colors = colors
        # A new one each time: napari caches the old one's colour table.
        set_colors(self._viewer, self.layer, DirectLabelColormap(color_dict=colors))
        return True


def _member_lut(grouping: Grouping, members: frozenset[int]) -> NDArray[np.uint8]:
    """Label value by cluster; members and the rest of their groups apart."""
    lut = grouping.lut()
    held = [cluster for cluster in grouping.clusters if cluster in members]
    for group in {grouping.group_of(cluster) for cluster in held}:
        rest = [cluster for cluster in group.clusters if cluster not in members]
        lut[rest] = min(rest, default=0)
    lut[held] = held
    return lut


def _group_colors(grouping: Grouping, looks: Looks) -> dict[int | None, RGBA]:
    """Colours by label value; what is not highlighted dimmed, if anything is."""
    lut = _member_lut(grouping, looks.members)
    colors: dict[int, Color] = {}
    bright: set[int] = set()
    for group in grouping.groups:
        values = {int(lut[cluster]) for cluster in group.clusters}
        if group.id not in looks.hidden:
            colors |= dict.fromkeys(values, group.color)
        chosen = values if group.id in looks.highlighted else looks.members
        bright |= values & chosen
    return _color_dict(colors, frozenset(bright))


def _color_dict(
    colors: Mapping[int, Color], bright: frozenset[int]
) -> dict[int | None, RGBA]:
    """Colours by label value as napari wants them: RGBA 0..1, None for the rest.

    Value 255 is always there: a table of nothing but the two it must hold is
    taken for none at all, and napari would colour at random.
    """
    clear: RGBA = (0.0, 0.0, 0.0, 0.0)
    table: dict[int | None, RGBA] = {None: clear, 0: clear, MAX_CLUSTER: clear}
    for value, (r, g, b) in colors.items():
        alpha = 1.0 if not bright or value in bright else _DIMMED
        table[value] = (r / 255, g / 255, b / 255, alpha)
    return table
