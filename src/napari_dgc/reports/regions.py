"""Leaf regions: the pieces of tissue in a cube, one number each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

HIGHEST_REGION = np.iinfo(np.uint16).max
_LEVELS = 64  # depths at which a piece is tried for falling apart
_HOLE_SHARE = 0.1
_LEAST_PIXELS = 20
_LEAST_SHARE = 0.001  # of the image: 66 pixels of 256 x 256


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """How leaf regions are found.

    Attributes
    ----------
    min_pixels : int, optional
        Smaller pieces are dropped; None for a thousandth of the image, 20 at least.
    split : bool
        Cut pieces in two where they have a neck: leaves that touch.
    neck : float
        Between 0 and 1. A neck is cut where its width is at most this share of the
        narrower leaf's.
    """

    min_pixels: int | None = None
    split: bool = False
    neck: float = 0.7

    def __post_init__(self) -> None:
        if self.min_pixels is not None and self.min_pixels < 1:
            raise ValueError(f"a smallest area of {self.min_pixels}; use 1 or more")
        if not 0 < self.neck < 1:
            raise ValueError(f"a neck of {self.neck}; use a share between 0 and 1")

    def smallest(self, shape: tuple[int, int]) -> int:
        """Pixels a piece must have in an image of (H, W)."""
        if self.min_pixels is not None:
            return self.min_pixels
        return max(_LEAST_PIXELS, round(_LEAST_SHARE * shape[0] * shape[1]))


def find_regions(
    tissue: Bools, settings: RegionSettings | None = None
) -> NDArray[np.uint16]:
    """Find leaf regions.

    Parameters
    ----------
    tissue : ndarray of bool, shape (H, W)
        True where a pixel is healthy or lesion.
    settings : RegionSettings, optional

    Returns
    -------
    ndarray of uint16, shape (H, W)
        0 outside; 1, 2, ... in reading order: from left to right in rows from top to
        bottom. Holes belong to the leaf around them.

    Raises
    ------
    ValueError
        If `tissue` is not 2-D bool, or holds more than 65,535 pieces of that size.

    Notes
    -----
    Pieces are 4-connected: leaves that touch by a corner are two. The order of work:
    close holes, drop what is small, split. A split divides a piece along its neck by
    a watershed of the distance to the edge, from the parts that fall apart when the
    piece is eroded. What touching leaves enclose together belongs to none of them
    then; without a split it counts as a hole.
    """
    if tissue.ndim != 2 or tissue.dtype != np.bool_:
        raise ValueError(
            f"tissue is bool of shape (H, W), not {tissue.dtype} of {tissue.shape}"
        )
    settings = settings or RegionSettings()
    smallest = settings.smallest((tissue.shape[0], tissue.shape[1]))
    filled = np.asarray(scipy.ndimage.binary_fill_holes(tissue), bool)
    numbered, count = scipy.ndimage.label(filled)
    areas = np.bincount(numbered.ravel(), minlength=count + 1)
    kept = np.flatnonzero(areas[1:] >= smallest) + 1
    if settings.split:
        numbered = _split_all(tissue, numbered, kept.tolist(), smallest, settings.neck)
        kept = np.arange(1, int(numbered.max(initial=0)) + 1)
    if len(kept) > HIGHEST_REGION:
        raise ValueError(f"{len(kept)} pieces of tissue; drop the small ones")
    lut = np.zeros(int(numbered.max(initial=0)) + 1, np.uint16)
    lut[reading_order(numbered, kept)] = np.arange(1, len(kept) + 1)
    return np.take(lut, numbered)


def count_in_regions(
    regions: NDArray[np.uint16], clusters: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Count pixels by region and cluster in one pass.

    Parameters
    ----------
    regions : ndarray of uint16, shape (H, W)
    clusters : ndarray of uint8, shape (H, W)
        Cluster ids (or label values), 0 = no data.

    Returns
    -------
    ndarray of int64, shape (R + 1, 256)
        Row 0 counts what is in no region. Percentages of any grouping are sums over
        its columns.
    """
    if regions.shape != clusters.shape:
        raise ValueError(f"regions {regions.shape} and map {clusters.shape} differ")
    rows = int(regions.max(initial=0)) + 1
    flat = regions.ravel().astype(np.intp) * 256 + clusters.ravel()
    return np.bincount(flat, minlength=rows * 256).reshape(rows, 256)


def default_region_names(count: int) -> tuple[str, ...]:
    """Names of leaf regions nobody has named."""
    return tuple(f"Leaf {n}" for n in range(1, count + 1))


def reading_order(
    numbered: NDArray[np.integer], kept: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Put region numbers in order: rows from the top, each from the left.

    A region belongs to the row above it if its middle lies less than half a typical
    height below the middle of the row's first.
    """
    if not len(kept):
        return np.zeros(0, np.intp)
    windows = scipy.ndimage.find_objects(np.asarray(numbered, np.int32))
    boxes = [windows[int(number) - 1] for number in kept]
    middles = [((r.start + r.stop) / 2, (c.start + c.stop) / 2) for r, c in boxes]
    reach = float(np.median([r.stop - r.start for r, _ in boxes])) / 2
    ordered: list[int] = []
    row: list[int] = []
    for place in sorted(range(len(kept)), key=lambda i: middles[i]):
        if row and middles[place][0] - middles[row[0]][0] >= reach:
            ordered += sorted(row, key=lambda i: (middles[i][1], middles[i][0]))
            row = []
        row.append(place)
    ordered += sorted(row, key=lambda i: (middles[i][1], middles[i][0]))
    return np.asarray(kept, np.intp)[ordered]


def _split_all(
    tissue: Bools,
    numbered: NDArray[np.integer],
    kept: list[int],
    smallest: int,
    neck: float,
) -> NDArray[np.int32]:
    """Split each piece where it has a neck; the numbers are new."""
    result = np.zeros(numbered.shape, np.int32)
    windows = scipy.ndimage.find_objects(np.asarray(numbered, np.int32))
    used = 0
    for number in kept:
        window = windows[number - 1]
        piece = numbered[window] == number
        parts = _split(piece, tissue[window] & piece, smallest, neck)
        place = parts > 0
        result[window][place] = parts[place] + used
        used += int(parts.max())
    return result


def _split(
    piece: Bools, tissue: Bools, smallest: int, neck: float
) -> NDArray[np.int32]:
    """Give the parts of one piece, numbered from 1.

    `piece` has its holes closed, `tissue` has not: what leaves that touch all around
    enclose is no hole in one of them, and would hide their necks.
    """
    body = tissue | _small_holes(piece & ~tissue, _depth(tissue))
    depth = _depth(body)
    # A part is at least as deep as half a disc of the smallest area.
    least = np.sqrt(smallest / np.pi) / 2
    cores = _cores(body, depth, 0.0, neck, float(least))
    if len(cores) < 2:
        return piece.astype(np.int32)
    parts = np.zeros(piece.shape, np.int32)
    for number, core in enumerate(cores, 1):
        parts[core] = number
    # Flooded from the deepest level up, each pixel by the part that is nearest then.
    # scipy's watershed_ift weighs steps, not depths: it let one part flow round others.
    for level in np.linspace(float(depth.max()), 0, _LEVELS + 1)[1:]:
        reached = (depth > level) & (parts == 0)
        if reached.any():
            nearest = scipy.ndimage.distance_transform_edt(
                parts == 0, return_distances=False, return_indices=True
            )
            parts[reached] = parts[tuple(nearest)][reached]
    for number in range(1, len(cores) + 1):
        parts[scipy.ndimage.binary_fill_holes(parts == number) & (parts == 0)] = number
    return parts


def _small_holes(holes: Bools, depth: NDArray[np.floating]) -> Bools:
    """Holes smaller than a share of the largest disc that fits into the tissue."""
    numbered, count = scipy.ndimage.label(holes)
    areas = np.bincount(numbered.ravel(), minlength=count + 1)
    small = areas < _HOLE_SHARE * np.pi * depth.max() ** 2
    small[0] = False
    filled: Bools = small[numbered]
    return filled


def _depth(mask: Bools) -> NDArray[np.float64]:
    """Distance of each pixel to what is outside; the image's rim is outside."""
    padded = scipy.ndimage.distance_transform_edt(np.pad(mask, 1))
    return np.asarray(padded, np.float64)[1:-1, 1:-1]


def _cores(
    part: Bools, depth: NDArray[np.floating], floor: float, neck: float, least: float
) -> list[Bools]:
    """Erode a part level by level; where it falls apart, go on with each side."""
    top = float(depth[part].max())
    for level in np.linspace(floor, top, _LEVELS, endpoint=False)[1:]:
        numbered, count = scipy.ndimage.label(part & (depth > level))
        if count < 2:
            continue
        peaks = scipy.ndimage.maximum(depth, numbered, np.arange(1, count + 1))
        # Its sides count if they are this much wider than the neck.
        sides = np.flatnonzero((peaks * neck >= level) & (peaks >= least)) + 1
        if len(sides) > 1:
            return [
                core
                for side in sides
                for core in _cores(numbered == side, depth, level, neck, least)
            ]
    return [part]
