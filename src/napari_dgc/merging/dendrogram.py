"""The tree of clusters as a picture: where its leaves and joins stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.tree import ClusterTree

# How much of a join's height is its rank: without it the low joins of 128 clusters
# lie on top of each other, with nothing else a wide gap between joins is not seen.
_RANK = 0.4
_ABOVE = 1.04  # height of a line above the topmost join


@dataclass(frozen=True, slots=True, eq=False)
class Dendrogram:
    """Nodes 0..K-1 are the leaves, node K + r is row r of the tree's linkage.

    Attributes
    ----------
    clusters : tuple of tuple of int, length 2K - 1
        The clusters below each node, from left to right.
    order : tuple of int, length K
        The leaves' nodes from left to right; no branches cross.
    children : ndarray of intp, shape (K - 1, 2)
        Left and right child of node K + r.
    x : ndarray of float64, shape (2K - 1,)
        Leaves stand at 0, 1, ... K - 1; a join in the middle of its children.
    y : ndarray of float64, shape (2K - 1,)
        0 for leaves, up to 1 for the topmost join; rising with the linkage's rows.
    """

    clusters: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]
    children: NDArray[np.intp]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def k(self) -> int:
        """Number of leaves."""
        return len(self.order)

    def groups_below(self, node: int, grouping: Grouping) -> tuple[Group, ...]:
        """Give the groups that hold clusters below a node, in table order."""
        below = set(self.clusters[node])
        return tuple(g for g in grouping.groups if not below.isdisjoint(g.clusters))

    def owners(self, grouping: Grouping) -> list[Group | None]:
        """Give the one group that holds all below each node, None where none does.

        A group made by hand, or one a lock keeps, need not be one branch: its
        leaves are its own and so are the joins among them, no others.
        """
        group_of = {c: g for g in grouping.groups for c in g.clusters}
        owners = [group_of.get(clusters[0]) for clusters in self.clusters[: self.k]]
        for left, right in self.children.tolist():
            same = owners[left] is owners[right]
            owners.append(owners[left] if same else None)
        return owners

    def levels(self, joins: Sequence[int]) -> NDArray[np.float64]:
        """Heights of the line that cuts the tree.

        Parameters
        ----------
        joins : sequence of int
            `ClusterTree.joins`.

        Returns
        -------
        ndarray of float64, shape (len(joins) + 1,)
            Entry i is where i of the joins are below the line: right under the
            next one, above whatever else is lower.
        """
        steps = np.concatenate([[0.0], self.y[self.k :], [_ABOVE]])
        rows = [*joins, joins[-1] + 1 if joins else len(self.children)]
        return np.asarray([(steps[row] + steps[row + 1]) / 2 for row in rows])


def lay_out(tree: ClusterTree) -> Dendrogram:
    """Lay a tree of clusters out.

    The order of the leaves is that of SciPy's `leaves_list`: it depends on the
    tree alone, never on how clusters are grouped. A join's height is in part the
    square root of its angle, in part its rank.
    """
    K, rows = len(tree.cluster_ids), len(tree.linkage)
    order = leaves_list(tree.linkage).tolist() if rows else [0]
    place = {leaf: i for i, leaf in enumerate(order)}
    x = [float(place[leaf]) for leaf in range(K)]
    clusters: list[tuple[int, ...]] = [(cluster,) for cluster in tree.cluster_ids]
    children: list[tuple[int, int]] = []
    for a, b in tree.linkage[:, :2].astype(int).tolist():
        left, right = (a, b) if x[a] < x[b] else (b, a)
        children.append((left, right))
        clusters.append(clusters[left] + clusters[right])
        x.append((x[left] + x[right]) / 2)
    angles = np.sqrt(tree.linkage[:, 2])
    angles /= angles.max(initial=0.0) or 1.0
    rank = np.arange(1, rows + 1) / max(1, rows)
    heights = (1 - _RANK) * angles + _RANK * rank
    heights /= heights.max(initial=0.0) or 1.0  # angles may all be 0
    return Dendrogram(
        clusters=tuple(clusters),
        order=tuple(order),
        children=np.array(children, np.intp).reshape(-1, 2),
        x=np.array(x),
        y=np.concatenate([np.zeros(K), heights]),
    )
