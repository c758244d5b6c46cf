"""Splits on maps and sums: refining them, and folding them back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.palette import MAX_CLUSTER
from napari_dgc.merging.splits import Pieces, Split
from napari_dgc.merging.sums import ClusterStatistics

T = TypeVar("T", np.int64, np.float64)

# A piece is one of the large ones from this share of the cluster's pixels on, and
# from this many pixels on; no more than so many are made at once.
_LARGE_SHARE, _LARGE_PIXELS, _MOST = 0.01, 12, 32
_TOUCHING = np.ones((3, 3), np.int8)  # corners count, or a slanting vein is crumbs


def mask_digest(mask: NDArray[np.bool_]) -> str:
    """A digest of which pixels (H, W) are set."""
    digest = hashlib.sha256(repr(mask.shape).encode())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()[:24]


def choose_pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], bool]:
    """Say which connected pieces of a mask (H, W) are worth ids of their own.

    Returns
    -------
    sizes : ndarray of int64
        Pixels of each that should get an id, the largest first; none where there
        is but one piece, or but small ones.
    keeps_largest : bool
        Whether the largest, which is not among them, keeps the cluster's id.
    """
    _, sizes = _pieces(mask)
    least = max(_LARGE_PIXELS, _LARGE_SHARE * int(sizes.sum()))
    large = sizes[sizes >= least]
    keeps_largest = len(large) == len(sizes)
    return large[int(keeps_largest) :][:_MOST], keeps_largest


def divide(clusters: NDArray[np.uint8], split: Split) -> NDArray[np.uint8] | None:
    """Split a map by connected pieces; None where it is not the map meant.

    Parameters
    ----------
    clusters : ndarray of uint8, shape (H, W)
        Stays as it is.
    split : Split
        By `Pieces`.
    """
    mask = clusters == split.cluster
    rule = split.rule
    if not isinstance(rule, Pieces) or mask_digest(mask) != rule.mask:
        return None
    labels, sizes = _pieces(mask)
    first = int(rule.keeps_largest)
    if len(sizes) < first + len(split.parts):
        raise MergeError(
            f"cluster {split.cluster} has fewer pieces than it is split in"
        )
    lut = np.full(len(sizes) + 1, split.cluster, np.uint8)
    lut[1 + first : 1 + first + len(split.parts)] = split.parts
    refined = clusters.copy()
    refined[mask] = lut[labels[mask]]
    return refined


def _pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number connected pieces from the largest down, and their sizes.

    Pieces of one size come in reading order.
    """
    labels, number = label(mask, _TOUCHING)
    sizes = np.bincount(labels.ravel(), minlength=number + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    rank = np.zeros(number + 1, np.int32)
    rank[1 + order] = np.arange(1, number + 1)
    return rank[labels], sizes[order]


def fold_lut(splits: Iterable[Split]) -> NDArray[np.uint8]:
    """What each id (256,) becomes when splits, given in their order, are undone."""
    lut = np.arange(MAX_CLUSTER + 1, dtype=np.uint8)
    for split in reversed(list(splits)):
        for part in split.parts:
            lut[lut == part] = split.cluster
    return lut


def fold_statistics(
    statistics: ClusterStatistics, lut: NDArray[np.uint8]
) -> ClusterStatistics:
    """Sums as if each id were the one that `lut` (256,) names; of as many rows."""
    rows = len(statistics.count)
    into = lut[:rows].astype(np.intp)
    if (into >= rows).any():
        raise ValueError("a cluster is folded into one that has no row")

    def added(values: NDArray[T]) -> NDArray[T]:
        total = np.zeros_like(values)
        np.add.at(total, into, values)
        return total

    inner = statistics.boundary.diagonal()
    between = statistics.boundary - np.diag(inner)
    between = added(added(between).T)
    # Symmetric, so pairs that are within one cluster now were counted twice.
    within = added(inner) + between.diagonal() // 2
    np.fill_diagonal(between, within)
    return ClusterStatistics(
        added(statistics.count),
        added(statistics.sum),
        added(statistics.sum_squares),
        added(statistics.confidence),
        between,
    )


def shares(pixels: Iterable[int], total: int) -> list[int]:
    """Deal `total` in proportion to `pixels`, in whole numbers that add up."""
    counts = np.asarray(list(pixels), np.float64)
    whole = counts.sum()
    if not whole:
        return [total] + [0] * (len(counts) - 1)
    edges = np.rint(np.cumsum(counts) / whole * total).astype(np.int64)
    return [int(n) for n in np.diff(edges, prepend=0)]
