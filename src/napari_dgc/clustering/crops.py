"""Pairs of crops of one cube under affine maps, their overlap known to the pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.affine import Affine, draw_affine
from napari_dgc.clustering.reading import Region

_LEAST_OVERLAP = 0.25  # of a crop's area


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Which pixel of a region each pixel of a view shows.

    Attributes
    ----------
    to_region : Affine
        From positions in the view to positions in the region.
    rows, cols : ndarray of int64, shape (S, S)
        The region's pixel nearest to each of the view's; at the region's
        edge where the view reaches beyond it.
    inside : ndarray of bool, shape (S, S)
        False: the view shows padding there.
    """

    to_region: Affine
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CropPair:
    """Two crops of one region, as they are and as the student sees them.

    Attributes
    ----------
    x : Tensor of float32, shape (2, C, S, S)
        The crops, for the teacher.
    valid : Tensor of bool, shape (2, S, S)
    student_x : Tensor of float32, shape (2, C, S, S)
        Each crop under its own random affine map, for the student.
    student_valid : Tensor of bool, shape (2, S, S)
        Padding is not valid.
    overlap : tuple of (Tensor, Tensor)
        ``own, other = overlap[i]``, int64 of equal length: pixels `own` of
        ``student_x[i]`` and pixels `other` of ``x[1 - i]``, both counted row
        by row, show the very same valid pixels of the region.
    corners : tuple of (int, int)
        Row and column of the region at which each crop begins.
    views : tuple of View
    """

    x: Tensor
    valid: Tensor
    student_x: Tensor
    student_valid: Tensor
    overlap: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]
    corners: tuple[tuple[int, int], tuple[int, int]]
    views: tuple[View, View]


def crop_side(regions: Sequence[Region], crop: int) -> int:
    """The side of the crops of one step: smaller where a region is."""
    return int(min(crop, *(min(region.valid.shape) for region in regions)))


def draw_pair(region: Region, side: int, generator: torch.Generator) -> CropPair:
    """Draw two overlapping crops of `side` pixels from a region.

    The crops share at least a quarter of their area, every such place of the
    second about the first being as likely. The student's views are sampled by
    the nearest pixel of the *region* (it may lie beyond the crop): no two
    spectra are ever mixed, the noise keeps its statistics, and what pixel a
    view shows is known exactly, not to within an interpolation. Paper:
    two-crop and random affine augmentation. (The reference code compares
    pixel i of one crop with pixel i of the other, wherever they lie.)
    """
    H, W = region.valid.shape
    first = _whole(H - side + 1, generator), _whole(W - side + 1, generator)
    corners = first, _other_corner(first, (H, W), side, generator)
    views = tuple(
        look(draw_affine(side, _middle(corner, side), generator), side, (H, W))
        for corner in corners
    )
    x = np.stack([region.spectra[:, r : r + side, c : c + side] for r, c in corners])
    valid = np.stack([region.valid[r : r + side, c : c + side] for r, c in corners])
    pixels = region.spectra.reshape(len(region.spectra), -1)  # (C, H·W)
    student_x = np.empty_like(x)
    for at, view in enumerate(views):
        # Band by band: rows of the cache are used up before the next band.
        place = (view.rows * W + view.cols).ravel()
        np.take(pixels, place, 1, student_x[at].reshape(len(pixels), -1), "clip")
    student_valid = np.stack([v.inside & region.valid[v.rows, v.cols] for v in views])
    overlap = tuple(
        _overlap(views[at], student_valid[at], corners[1 - at], side) for at in (0, 1)
    )
    return CropPair(
        torch.from_numpy(x),
        torch.from_numpy(valid),
        torch.from_numpy(student_x),
        torch.from_numpy(student_valid),
        (overlap[0], overlap[1]),
        corners,
        (views[0], views[1]),
    )


def look(to_region: Affine, side: int, size: tuple[int, int]) -> View:
    """A view of `side` pixels of a region of `size` (H, W), by nearest pixel."""
    span = np.arange(side)
    places = [np.rint(p).astype(np.intp) for p in to_region.apply(span[:, None], span)]
    rows, cols = (p.clip(0, n - 1) for p, n in zip(places, size, strict=True))
    inside = (rows == places[0]) & (cols == places[1])
    return View(to_region, rows, cols, inside)


def _overlap(
    view: View, valid: NDArray[np.bool_], corner: tuple[int, int], side: int
) -> tuple[Tensor, Tensor]:
    """Pixels of a view that a crop at `corner` holds too, and where it holds them."""
    down, right = view.rows - corner[0], view.cols - corner[1]
    held = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    own = np.flatnonzero(held & valid)
    other = (down * side + right).ravel()[own]
    return torch.from_numpy(own), torch.from_numpy(other)


def _other_corner(
    first: tuple[int, int],
    size: tuple[int, int],
    side: int,
    generator: torch.Generator,
) -> tuple[int, int]:
    """Where the second crop begins, given the first."""
    shared = [  # rows, and columns, that a crop beginning at each place shares
        (side - (torch.arange(n - side + 1) - start).abs()).clamp(min=0)
        for start, n in zip(first, size, strict=True)
    ]
    area = shared[0][:, None] * shared[1]
    places = torch.nonzero(area >= _LEAST_OVERLAP * side**2)
    row, col = places[_whole(len(places), generator)].tolist()
    return row, col


def _middle(corner: tuple[int, int], side: int) -> tuple[float, float]:
    return corner[0] + (side - 1) / 2, corner[1] + (side - 1) / 2


def _whole(count: int, generator: torch.Generator) -> int:
    """A whole number from 0 to count - 1."""
    return int(torch.randint(count, (1,), generator=generator))
