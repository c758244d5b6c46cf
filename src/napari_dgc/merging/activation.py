"""Which clusters or groups fire in which cubes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.statistics import ClusterStatistics

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
    statistics: Sequence[ClusterStatistics], cluster_ids: Sequence[int]
) -> Activation:
    """Shares of clusters in cubes, from their counts alone.

    Parameters
    ----------
    statistics : sequence of ClusterStatistics, length N
    cluster_ids : sequence of int
        Rows of the result; an id without a row in the statistics has no pixel.
    """
    ids = tuple(map(int, cluster_ids))
    shares = np.zeros((len(ids), len(statistics)))
    for at, one in enumerate(statistics):
        rows = max((*ids, len(one.count) - 1), default=0) + 1
        count = np.zeros(rows)
        count[: len(one.count)] = one.count
        shares[:, at] = count[list(ids)] / max(1, one.count[1:].sum())
    return Activation(ids, shares)


def group_activation(
    statistics: Sequence[ClusterStatistics], grouping: Grouping
) -> Activation:
    """Shares of groups in cubes; rows are in table order."""
    clusters = cluster_activation(statistics, grouping.clusters)
    place = {id: row for row, id in enumerate(clusters.ids)}
    rows = [
        clusters.shares[[place[c] for c in group.clusters]].sum(axis=0)
        for group in grouping.groups
    ]
    shares = np.array(rows).reshape(len(grouping.groups), len(statistics))
    return Activation(grouping.ids, shares)


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
