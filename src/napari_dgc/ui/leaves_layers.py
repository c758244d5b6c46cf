"""The user's own Labels and Shapes layers as leaves, or as an area."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.label_layer import LABELS_KEY
from napari_dgc.ui.leaves_layer import LEAVES_KEY

_CALLED = ("name", "leaf", "label", "leaf_name", "group", "class")  # columns, in turn

_NO_NAME = ("", "nan", "None")  # what pandas writes where there is nothing


def usable_layers(layers: Iterable[Layer]) -> list[Layer]:
    """Labels and Shapes layers that are not ours."""
    ours = {LABELS_KEY, LEAVES_KEY}
    return [
        layer
        for layer in layers
        if isinstance(layer, Labels | Shapes) and not ours & layer.metadata.keys()
    ]


def layer_regions(
    layer: Layer, entry: Entry
) -> tuple[NDArray[np.integer], dict[int, str]]:
    """Read regions of a layer for a cube.

    Parameters
    ----------
    layer : napari.layers.Labels or napari.layers.Shapes
        Shapes may lie anywhere; labels must have the cube's size.
    entry : Entry

    Returns
    -------
    regions : ndarray of integers, shape (H, W)
        Shapes are numbered as listed; the later lies on the earlier.
    names : dict of int to str
        As the layer's features say.

    Raises
    ------
    InputError
        If there is nothing in it, or it does not fit.
    """
    _, H, W = entry.cube.shape
    if isinstance(layer, Shapes):
        regions = _drawn(layer, entry)
    else:
        regions = np.asarray(layer.data)
        if regions.shape != (H, W):
            raise InputError(
                layer.name,
                f"is {regions.shape}, the cube {(H, W)} (rows, columns)",
                "choose a layer of the cube's size",
            )
        regions = np.where(regions > 0, regions, 0)
    if not regions.any():
        raise InputError(
            layer.name, "has nothing on this cube", "draw or paint in it first"
        )
    return regions, _names(layer, isinstance(layer, Shapes))


def _drawn(layer: Shapes, entry: Entry) -> NDArray[np.integer]:
    """Rasterize shapes at the cube's pixels, wherever their layer lies."""
    _, H, W = entry.cube.shape
    if not len(layer.data):
        return np.zeros((H, W), int)
    to_world, to_cube = layer.data_to_world, entry.bands.world_to_data
    places = [
        np.array([to_cube(to_world(point))[-2:] for point in shape])
        for shape in layer.data
    ]
    copy = Shapes(places, shape_type=list(layer.shape_type))
    return np.asarray(copy.to_labels((H, W)))


def _names(layer: Layer, by_row: bool) -> dict[int, str]:
    table = layer.features  # pandas'
    columns = {str(column).lower(): column for column in table.columns}
    column = next((columns[name] for name in _CALLED if name in columns), None)
    if column is None:
        return {}
    index = columns.get("index")
    if by_row or index is None:
        numbers = [row + by_row for row in range(len(table))]
    else:
        numbers = [int(number) for number in table[index]]
    texts = (" ".join(str(value).split()) for value in table[column])
    pairs = zip(numbers, texts, strict=True)
    return {n: text for n, text in pairs if text not in _NO_NAME and text.isprintable()}
