"""Pairs of crops of one cube, with their overlap known to the pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_dgc.clustering.reading import Region

_LEAST_OVERLAP = 0.25  # of a crop's side


@dataclass(frozen=True, slots=True)
class CropPair:
    """Two crops of one region.

    Attributes
    ----------
    x : Tensor of float32, shape (2, C, S, S)
    valid : Tensor of bool, shape (2, S, S)
    overlap : tuple of (slice, slice)
        Where the shared part of the scene lies in the first and in the
        second crop: ``x[0][:, *overlap[0]]`` and ``x[1][:, *overlap[1]]`` show
        the very same pixels.
    """

    x: Tensor
    valid: Tensor
    overlap: tuple[tuple[slice, slice], tuple[slice, slice]]


def crop_side(regions: Sequence[Region], crop: int) -> int:
    """The side of the crops of one step: smaller where a region is."""
    return int(min(crop, *(min(region.valid.shape) for region in regions)))


def draw_pair(region: Region, side: int, generator: torch.Generator) -> CropPair:
    """Draw two overlapping crops of `side` pixels from a region."""
    H, W = region.valid.shape
    reach = max(1, round(side * (1 - _LEAST_OVERLAP)))
    top, left = _whole(H - side + 1, generator), _whole(W - side + 1, generator)
    other = (
        _near(top, reach, H - side, generator),
        _near(left, reach, W - side, generator),
    )
    corners = ((top, left), other)
    pieces = [(slice(t, t + side), slice(w, w + side)) for t, w in corners]
    x = np.stack([region.spectra[:, rows, cols] for rows, cols in pieces])
    valid = np.stack([region.valid[rows, cols] for rows, cols in pieces])
    down, right = other[0] - top, other[1] - left
    first = (_shared(down, side), _shared(right, side))
    second = (_shared(-down, side), _shared(-right, side))
    return CropPair(torch.from_numpy(x), torch.from_numpy(valid), (first, second))


def _shared(offset: int, side: int) -> slice:
    """The part of [0, side) that a window shifted by `offset` also covers."""
    return slice(max(0, offset), side + min(0, offset))


def _whole(count: int, generator: torch.Generator) -> int:
    """A whole number from 0 to count - 1."""
    return int(torch.randint(count, (1,), generator=generator))


def _near(place: int, reach: int, last: int, generator: torch.Generator) -> int:
    low, high = max(0, place - reach), min(last, place + reach)
    return low + _whole(high - low + 1, generator)
