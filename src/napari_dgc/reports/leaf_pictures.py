"""Leaf regions as files: their numbers, and a picture beside the groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_dgc.cubes.files import write_whole
from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.masks import paint
from napari_dgc.reports.pictures import side_by_side
from napari_dgc.reports.severity import SeverityRow

#: In turn; neighbours in reading order differ.
_COLORS = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


def write_regions_tiff(
    path: str | Path, regions: NDArray[np.uint16], *, force: bool = False
) -> Path:
    """Write leaf regions, (H, W), as a 16-bit grey TIFF, losslessly compressed."""
    return write_whole(
        path,
        lambda file: tifffile.imwrite(
            file,
            regions,
            photometric="minisblack",
            compression="zlib",
            metadata=None,
            software="napari-dgc",
        ),
        force=force,
    )


def write_leaf_picture(
    path: str | Path,
    label_map: NDArray[np.uint8],
    classes: Sequence[MapClass],
    regions: NDArray[np.uint16],
    leaves: Sequence[SeverityRow],
    *,
    title: str = "",
    force: bool = False,
) -> Path:
    """Draw the groups, and beside them the leaves with their severity.

    Parameters
    ----------
    path : str or pathlib.Path
        A PNG.
    label_map : ndarray of uint8, shape (H, W)
    classes : sequence of MapClass
    regions : ndarray of uint16, shape (H, W)
    leaves : sequence of SeverityRow
        This cube's.
    title : str
    force : bool
        Replace the file if it exists.
    """
    groups = paint(label_map, {one.value: one.color for one in classes})
    colors = np.array([(255, 255, 255), *_COLORS], np.uint8)
    numbers = regions.astype(np.intp)
    shown = colors[np.where(numbers > 0, (numbers - 1) % len(_COLORS) + 1, 0)]
    present = set(np.unique(label_map).tolist())
    legend = [(one.name, one.color) for one in classes if one.value in present]
    for row in leaves:
        color = _COLORS[(row.region - 1) % len(_COLORS)]
        share = row.lesion_percent
        text = "no tissue" if share is None else f"{share:.1f} % lesion"
        legend.append((f"{row.leaf}: {text}", color))
    panels = [(title, groups), (f"{len(leaves)} leaves", shown)]
    return side_by_side(path, panels, legend=legend, force=force)
