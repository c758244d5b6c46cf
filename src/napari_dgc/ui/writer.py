"""napari's writer: a label layer as a lossless TIFF or as a coloured PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.merging.palette import cluster_color
from napari_dgc.reports.masks import write_label_tiff, write_png
from napari_dgc.ui.label_layer import APART_KEY

Color = tuple[int, int, int]


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write one label layer.

    Parameters
    ----------
    path : str
        Ending in ``.tif``, ``.tiff`` (the label values, uint8 or uint16) or
        ``.png`` (the colours on screen). Overwritten: napari has asked.
    data : array-like of int, shape (H, W)
    attributes : mapping
        The layer's state; its ``colormap`` gives the colours.

    Returns
    -------
    list of str
        What was written.

    Raises
    ------
    InputError
        If the labels do not fit the format.
    """
    target = Path(path)
    labels = _whole_groups(_as_map(target, data), attributes)
    if target.suffix.lower() == ".png":
        values, colors = layer_colors(labels, attributes.get("colormap"))
        write_png(target, values, colors, force=True)
    elif labels.dtype == np.uint8:
        write_label_tiff(target, labels.astype(np.uint8), force=True)
    else:
        write_whole(
            target,
            lambda file: tifffile.imwrite(
                file, labels, photometric="minisblack", compression="zlib"
            ),
            force=True,
        )
    return [str(target)]


def _as_map(target: Path, data: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Label values in the smallest unsigned type that holds them."""
    labels = np.asarray(data)
    if labels.ndim != 2:
        raise InputError(
            target,
            f"the label layer has {labels.ndim} axes, an image file two",
            "save one plane of it, or choose napari's own writer",
        )
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise InputError(
            target,
            f"label values from {low} to {high} do not fit 16 bits",
            "relabel the layer, or choose napari's own writer",
        )
    if high <= np.iinfo(np.uint8).max:
        return labels.astype(np.uint8)
    return labels.astype(np.uint16)


def _whole_groups(labels: NDArray[Any], attributes: Mapping[str, Any]) -> NDArray[Any]:
    """Undo what a cluster highlighted within its group does to a map's values."""
    apart = (attributes.get("metadata") or {}).get(APART_KEY)
    if apart and labels.dtype == np.uint8:
        lut = np.arange(256, dtype=np.uint8)
        for value, group in apart.items():
            lut[value] = group
        return lut[labels]
    return labels


def layer_colors(
    labels: NDArray[np.uint8] | NDArray[np.uint16], colormap: Any
) -> tuple[NDArray[np.uint8], dict[int, Color]]:
    """Find the colours a label layer has on screen.

    Parameters
    ----------
    labels : ndarray of uint8 or uint16, shape (H, W)
    colormap : napari label colormap, optional
        Our own palette where there is none.

    Returns
    -------
    values : ndarray of uint8, shape (H, W)
        The labels; where some exceed 255, numbers of their colours instead
        (a PNG has one palette of 256).
    colors : dict of int to (r, g, b)
        0..255 each, for each value but 0.
    """
    present, inverse = np.unique(labels, return_inverse=True)
    if colormap is None:
        rgb = np.array([cluster_color(1 + (int(v) - 1) % 255) for v in present])
    else:
        rgba = np.asarray(colormap.map(present.astype(np.int32)), float)
        rgb = np.rint(255 * rgba[:, :3] * rgba[:, 3:]).astype(int)
    rgb[present == 0] = 0
    if labels.dtype == np.uint8:
        values = labels.astype(np.uint8)
        numbers = present.astype(int)
    else:
        distinct, numbers = np.unique(rgb, axis=0, return_inverse=True)
        numbers = np.where(present == 0, 0, numbers.ravel() + 1)
        if len(distinct) > np.iinfo(np.uint8).max:
            raise InputError(
                "PNG",
                f"the layer has {len(distinct)} colours, the file room for 255",
                "save it as .tif",
            )
        values = numbers[inverse].reshape(labels.shape).astype(np.uint8)
    colors: dict[int, Color] = {
        int(n): (int(r), int(g), int(b))
        for n, (r, g, b) in zip(numbers, rgb, strict=True)
        if n
    }
    return values, colors
