"""Leaf regions changed by hand: merged, cut, deleted, painted, numbered anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from napari_dgc.reports.regions import (
    HIGHEST_REGION,
    default_region_names,
    reading_order,
)

Regions = NDArray[np.uint16]

_PLAIN = re.compile(r"Leaf \d+")  # what `default_region_names` gives
_KEPT = 0.5  # of a leaf's pixels, from which on another one is the same leaf


def renumber(
    regions: NDArray[np.integer], names: Mapping[int, str] | None = None
) -> tuple[Regions, tuple[str, ...]]:
    """Number leaf regions 1, 2, ... in reading order, as `find_regions` does.

    Parameters
    ----------
    regions : ndarray of integers, shape (H, W)
        What is not above 0 is outside; a region may be in several pieces.
    names : mapping of int to str, optional
        By the numbers there are now. Names such as "Leaf 3" follow the number, all
        others the leaf.

    Returns
    -------
    regions : ndarray of uint16, shape (H, W)
    names : tuple of str

    Raises
    ------
    ValueError
        If there are more than 65,535 regions.
    """
    present, dense = np.unique(regions, return_inverse=True)
    dense = np.asarray(dense, np.int32).reshape(regions.shape)
    kept = np.flatnonzero(present > 0)
    if len(kept) > HIGHEST_REGION:
        raise ValueError(f"{len(kept)} leaves; there may be {HIGHEST_REGION}")
    # `reading_order` takes 0 for outside, and so is the place of a first leaf.
    order = reading_order(dense + 1, kept + 1) - 1
    lut = np.zeros(len(present), np.uint16)
    lut[order] = np.arange(1, len(order) + 1)
    called = names or {}
    plain = default_region_names(len(order))
    listed = (called.get(int(present[place]), "") for place in order)
    own = (name if is_own(name) else "" for name in listed)
    return lut[dense], tuple(
        name or default for name, default in zip(own, plain, strict=True)
    )


def is_own(name: str) -> bool:
    """Whether somebody gave a leaf this name."""
    return bool(name) and _PLAIN.fullmatch(name) is None


def merge_regions(regions: Regions, numbers: Collection[int]) -> Regions:
    """Make one leaf of several, under their lowest number; others stay."""
    return _looked_up(regions, numbers, min(numbers))


def delete_regions(regions: Regions, numbers: Collection[int]) -> Regions:
    """Take leaves away; others keep their numbers."""
    return _looked_up(regions, numbers, 0)


def cut_regions(regions: Regions, line: Sequence[Sequence[float]]) -> Regions | None:
    """Cut leaves in two, or more, along a drawn line.

    Parameters
    ----------
    regions : ndarray of uint16, shape (H, W)
    line : sequence of (row, column)
        Straight from point to point; may begin and end outside the image.

    Returns
    -------
    ndarray of uint16, shape (H, W), or None
        The largest part keeps the number, the others get new ones. None where the
        line parts no leaf: it ends inside, or passes by.
    """
    blocked = _drawn(np.asarray(line, float), regions.shape)
    result, used = regions.copy(), int(regions.max(initial=0))
    windows = scipy.ndimage.find_objects(np.asarray(regions, np.int32))
    parted = False
    for number in np.unique(regions[blocked]).tolist():
        window = windows[number - 1] if number else None
        if window is None:
            continue
        inside = regions[window] == number
        pieces, count = scipy.ndimage.label(inside)
        for piece in range(1, count + 1):
            parts = _parts(pieces == piece, blocked[window])
            for part in parts[1:]:
                used += 1
                if used > HIGHEST_REGION:
                    raise ValueError(f"there are {HIGHEST_REGION} leaves already")
                result[window][part] = used
                parted = True
    return result if parted else None


def carry_names(
    old: Regions, names: Sequence[str], new: Regions, count: int
) -> tuple[str, ...]:
    """Name leaves that were found anew: each as the one it has most pixels of.

    Only names that somebody gave are carried, and only to a leaf that has half of
    the old one's pixels at least.
    """
    called = list(default_region_names(count))
    if old.shape != new.shape:
        return tuple(called)
    for number, name in enumerate(names, 1):
        if not is_own(name):
            continue
        shares = np.bincount(new[old == number], minlength=count + 1)
        best = int(shares[1:].argmax()) + 1 if count else 0
        if best and shares[best] >= _KEPT * shares.sum():
            called[best - 1] = name
    return tuple(called)


def _looked_up(regions: Regions, numbers: Collection[int], value: int) -> Regions:
    lut = np.arange(int(regions.max(initial=0)) + 1, dtype=np.uint16)
    lut[list(numbers)] = value
    return np.take(lut, regions)


def _parts(
    piece: NDArray[np.bool_], line: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    """Masks of what a line parts a connected piece into, the largest first."""
    rest = piece & ~line
    numbered, count = scipy.ndimage.label(rest)
    if count < 2:
        return [piece]
    nearest = scipy.ndimage.distance_transform_edt(
        ~rest, return_distances=False, return_indices=True
    )
    numbered = np.where(piece, numbered[tuple(nearest)], 0)
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    return [numbered == number + 1 for number in np.argsort(-sizes, kind="stable")]


def _drawn(line: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of a line, 8-connected: no 4-connected way leads through."""
    mask = np.zeros(shape, bool)
    for start, end in pairwise(line):
        steps = int(np.ceil(np.abs(end - start).max())) + 1
        points = np.rint(np.linspace(start, end, steps + 1)).astype(int)
        inside = ((points >= 0) & (points < shape)).all(axis=1)
        mask[tuple(points[inside].T)] = True
    return mask
