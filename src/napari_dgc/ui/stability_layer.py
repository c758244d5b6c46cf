"""The layer that shows where a map holds under noise and where it does not."""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from napari.utils import Colormap
from numpy.typing import NDArray

from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.cube_layers import plane_of

# A pixel that always keeps its group is clear; the less it does, the darker the red.
_STOPS = (
    (0.0, (0.45, 0.0, 0.05, 1.0)),
    (0.6, (0.9, 0.2, 0.1, 1.0)),
    (0.8, (1.0, 0.7, 0.2, 0.7)),
    (1.0, (1.0, 1.0, 1.0, 0.0)),
)


def make_stability_layer(
    entry: Entry, agreement: NDArray[np.uint8], clusters: NDArray[np.uint8]
) -> Image:
    """Make the layer "NAME stability" that lies on a cube.

    Parameters
    ----------
    entry : Entry
    agreement : ndarray of uint8, shape (H, W)
        Share of views in which a pixel keeps its group, in 255ths.
    clusters : ndarray of uint8, shape (H, W)
        0 where there is no data: nothing is drawn there.

    Returns
    -------
    napari.layers.Image
        In %, float32, NaN where there is no data.
    """
    percent = _percent(agreement, clusters)
    controls, colors = zip(*_STOPS, strict=True)
    return Image(
        percent,
        name=f"{entry.cube.name} stability",
        colormap=Colormap(colors, name="stability", controls=controls),
        contrast_limits=(0, 100),
        blending="translucent",
        **plane_of(entry.bands),
    )


def renew_layer(
    layer: Image, agreement: NDArray[np.uint8], clusters: NDArray[np.uint8]
) -> None:
    """Show other numbers of the same cube, where they are others."""
    percent = _percent(agreement, clusters)
    if not np.array_equal(percent, layer.data, equal_nan=True):
        layer.data = percent


def _percent(
    agreement: NDArray[np.uint8], clusters: NDArray[np.uint8]
) -> NDArray[np.float32]:
    percent = agreement * np.float32(100 / 255)
    percent[clusters == 0] = np.nan
    return percent
