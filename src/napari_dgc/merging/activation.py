"""Which clusters or groups fire in which cubes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.statistics import ClusterStatistics

Counts = NDArray[np.int64]

ACTIVE = 1e-3
"""Share of a cube's valid pixels above which a cluster is active in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Activation:
    """Shares of the valid pixels, one row per cluster or group, one column per cube.

    Attributes
    ----------
    ids : tuple of int, length R
        Cluster ids, or group ids in table order.
    shares : ndarray of float64, shape (R, N)
        0..1; every column of a cube with valid pixels sums to 1.
    """

    ids: tuple[int, ...]
    shares: NDArray[np.float64]

    @property
    def active(self) -> NDArray[np.bool_]:
        """Where more than 0.1 % of the valid pixels are, (R, N)."""
        return np.asarray(self.shares > ACTIVE)

    @property
    def selective(self) -> NDArray[np.bool_]:
        """Rows active in some cubes and not in others, (R,)."""
        cubes = self.active.sum(axis=1)
        return np.asarray((cubes > 0) & (cubes < self.shares.shape[1]))

    def row_order(self) -> NDArray[np.intp]:
        """Rows in an order that puts those side by side that fire alike."""
        return _order(np.sqrt(self.shares))

    def cube_order(self) -> NDArray[np.intp]:
        """Cubes in an order that puts those side by side that look alike."""
        return _order(np.sqrt(self.shares.T))


def cluster_activation(
    counts: Sequence[ClusterStatistics | Counts], cluster_ids: Sequence[int]
) -> Activation:
    """Shares of clusters in cubes, from their counts alone.

    Parameters
    ----------
    counts : sequence of ClusterStatistics or of ndarray of int, length N
        Pixels per cluster id, row 0 no data, or the statistics that hold them.
    cluster_ids : sequence of int
        Rows of the result; an id without a row in the counts has no pixel.
    """
    ids = tuple(map(int, cluster_ids))
    shares = np.zeros((len(ids), len(counts)))
    for at, one in enumerate(counts):
        known = one.count if isinstance(one, ClusterStatistics) else one
        count = np.zeros(max((*ids, len(known) - 1), default=0) + 1)
        count[: len(known)] = known
        shares[:, at] = count[list(ids)] / max(1, known[1:].sum())
    return Activation(ids, shares)


def group_activation(
    counts: Sequence[ClusterStatistics | Counts], grouping: Grouping
) -> Activation:
    """Shares of groups in cubes; rows are in table order, `counts` as for clusters."""
    clusters = cluster_activation(counts, grouping.clusters)
    place = {id: row for row, id in enumerate(clusters.ids)}
    rows = [
        clusters.shares[[place[c] for c in group.clusters]].sum(axis=0)
        for group in grouping.groups
    ]
    shares = np.array(rows).reshape(len(grouping.groups), len(counts))
    return Activation(grouping.ids, shares)


_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?([01]\d|2[0-3])[-:h_]?([0-5]\d)(?:[-:m_]?([0-5]\d))?)?(?!\d)"
)
_EUROPEAN = re.compile(
    r"(?<!\d)(0?[1-9]|[12]\d|3[01])([-_.])(0?[1-9]|1[0-2])\2((?:19|20)\d\d)(?!\d)"
)
_DAYS = (
    re.compile(r"(?<![a-z])(?:day|d)[-_ ]?(\d+)(?![a-z\d])", re.IGNORECASE),
    re.compile(r"(?<!\d)(\d+)[-_ ]?(?:dpi|dai|days?|d)(?![a-z])", re.IGNORECASE),
)


def date_order(names: Sequence[str]) -> NDArray[np.intp] | None:
    """Order cubes by the date, or else by the day, that their names give.

    Parameters
    ----------
    names : sequence of str, length N

    Returns
    -------
    ndarray of intp, shape (N,), or None
        Those whose name gives none stand last, as they are; so do ties. None where
        no two names differ in their date, nor in their day.

    Notes
    -----
    Dates: ``2024-05-17``, ``20240517`` (each with a time after it or without),
    ``17.05.2024``. Days: ``day5``, ``d05``, ``5dpi``, ``5_dai``.
    """
    for read in (_date_in, _day_in):
        found = [read(name) for name in names]
        if len({key for key in found if key is not None}) > 1:
            keys = [(key is None, key or ()) for key in found]
            return np.array(sorted(range(len(names)), key=keys.__getitem__), np.intp)
    return None


def _date_in(name: str) -> tuple[int, ...] | None:
    """Year, month, day, hour, minute and second, or None."""
    if found := _DATE.search(name):
        year, _, month, day, *time = found.groups()
        return tuple(int(part or 0) for part in (year, month, day, *time))
    if found := _EUROPEAN.search(name):
        day, _, month, year = found.groups()
        return int(year), int(month), int(day), 0, 0, 0
    return None


def _day_in(name: str) -> tuple[int, ...] | None:
    """Days since the experiment began, or None."""
    found = _DAYS[0].search(name) or _DAYS[1].search(name)
    return None if found is None else (int(found[1]),)


def _order(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Optimal leaf order (Bar-Joseph et al. 2001) of average linkage; ties stay put.

    On square roots of shares, Euclidean: the Hellinger distance, in which a rare
    cluster's coming and going is seen beside the large ones.
    """
    if len(points) < 3 or not points.shape[1]:
        return np.arange(len(points))
    distances = pdist(points)
    tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
    order = leaves_list(tree).astype(np.intp)
    # Either end may come first: the one that holds the lower number does.
    return order if order[0] <= order[-1] else order[::-1]
