"""Fewer clusters than centroids: several centroids hold one cluster together.

Four centroids cannot hold a dim, a bright and a glinting leaf, a lesion and the
cloth: which of them gets one is chance. So where few clusters are asked for, as
many centroids are found and trained as by default, and those that lie together in
the tree are one cluster: in the first map's while it is trained, in the trained model's
in the end (docs/engine.md has the figures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.model import Model
from napari_dgc.cubes.likeness import link_clusters

FEWEST_CENTROIDS = 16
"""Centroids that are found where fewer clusters are asked for."""


def centers(model: Model) -> NDArray[np.float32]:
    """The mean direction of each cluster's centroids, (K, D+1), of unit length."""
    if not model.owners.size:
        return model.centroids
    total = np.array(
        [model.centroids[model.owners == id].sum(axis=0) for id in model.cluster_ids]
    )
    norm = np.linalg.norm(total, axis=1, keepdims=True)
    unit: NDArray[np.float32] = total / np.maximum(norm, np.finfo(np.float32).tiny)
    return unit


def centroids_wanted(config: Config) -> int:
    """How many centroids a training works with."""
    return max(config.k, FEWEST_CENTROIDS)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Which cluster each centroid belongs to.

    Attributes
    ----------
    clusters : mapping of int to int
        Cluster id by centroid id; empty where every centroid is a cluster.
    retired : tuple of int
        Cluster ids that no centroid bears any more.
    """

    clusters: Mapping[int, int]
    retired: tuple[int, ...] = ()

    @classmethod
    def of_first_map(cls, model: Model, k: int) -> Gathering:
        """Cut the tree of a first map's centroids at `k` clusters.

        Cluster ids are 1..k, by falling number of pixels.
        """
        if model.k <= k:
            return cls({})
        parts = sorted(
            _cut(model, k), key=lambda rows: (-model.counts[rows].sum(), min(rows))
        )
        ids = model.cluster_ids.tolist()
        return cls({ids[row]: at for at, rows in enumerate(parts, 1) for row in rows})

    def renewed(self, model: Model) -> Gathering:
        """Cut the tree of a trained model's centroids, at as many clusters.

        Each cluster keeps the id of the one before that it shares most pixels with,
        one to one.
        """
        if not self.clusters:
            return self
        from scipy.optimize import linear_sum_assignment  # slow to load

        before = self._owners(model)
        known = np.unique(before)
        parts = _cut(model, len(known))
        # By pixels; by centroids where pixels leave it open.
        weights = model.counts * len(before) + 1
        shared = [[weights[p][before[p] == id].sum() for id in known] for p in parts]
        named = zip(*linear_sum_assignment(shared, maximize=True), strict=True)
        ids = model.cluster_ids.tolist()
        clusters = {
            ids[row]: int(known[at]) for part, at in named for row in parts[part]
        }
        return Gathering(clusters, self._retired(known.tolist()))

    def gather(self, model: Model) -> Model:
        """The model of these clusters, of one whose centroids are clusters.

        A centroid that came later belongs to the cluster of the nearest that was
        there; a cluster whose centroids are all gone is retired.
        """
        if not self.clusters:
            return model
        owners = self._owners(model)
        ids = np.unique(owners)
        rows = np.searchsorted(ids, owners)
        linkage = _linkage_of(model, rows, len(ids))
        counts = np.zeros(len(ids), np.int64)
        np.add.at(counts, rows, model.counts)
        # Pixels weigh alike; where none was counted, so do the centroids.
        weights = np.where(counts[rows] > 0, model.counts, 1).astype(np.float64)
        spectra = np.zeros((len(ids), model.bands))
        np.add.at(spectra, rows, weights[:, None] * model.mean_spectra)
        total = np.bincount(rows, weights)
        return replace(
            model,
            mean_spectra=(spectra / total[:, None]).astype(np.float32),
            counts=counts,
            cluster_ids=ids,
            owners=owners,
            linkage=linkage,
            retired_ids=self._retired(ids.tolist()),
        )

    def active(self, shares: Mapping[int, float], least: float) -> int:
        """Clusters that hold more than `least`, from each centroid's share."""
        held: dict[int, float] = {}
        for id, share in shares.items():
            cluster = self.clusters.get(id, -id)  # a later one for itself
            held[cluster] = held.get(cluster, 0.0) + share
        return sum(share > least for share in held.values())

    def _retired(self, left: Sequence[int]) -> tuple[int, ...]:
        return tuple(sorted({*self.retired, *self.clusters.values()} - {*left}))

    def _owners(self, model: Model) -> NDArray[np.uint8]:
        """Cluster id of each row of the model's centroids."""
        if self.clusters.keys().isdisjoint(model.cluster_ids.tolist()):
            return np.ones(model.k, np.uint8)  # nothing is left to be nearest to
        known = np.array([id in self.clusters for id in model.cluster_ids.tolist()])
        near = (model.centroids @ model.centroids[known].T).argmax(axis=1)
        hosts = model.cluster_ids[known][near]
        hosts = np.where(known, model.cluster_ids, hosts)
        return np.array([self.clusters[int(id)] for id in hosts], np.uint8)


def _link(model: Model) -> NDArray[np.float64]:
    """The tree of a model's centroids, (P - 1, 4)."""
    spectra, centroids = model.mean_spectra, model.centroids
    return link_clusters(
        spectra.astype(np.float64), model.counts, centroids.astype(np.float64)
    )


def _join(rows: NDArray[np.float64], count: int) -> dict[int, list[int]]:
    """Leaves below each node of a tree of `count` leaves, after some joins."""
    nodes = {leaf: [leaf] for leaf in range(count)}
    for at, (a, b, _, _) in enumerate(rows):
        nodes[count + at] = nodes.pop(int(a)) + nodes.pop(int(b))
    return nodes


def _cut(model: Model, k: int) -> list[list[int]]:
    """Rows of centroids that are one cluster, where a model's tree is cut at k."""
    return list(_join(_link(model)[: model.k - k], model.k).values())


def _linkage_of(model: Model, own: NDArray[np.intp], k: int) -> NDArray[np.float64]:
    """What the tree of centroids joins above their clusters, (k - 1, 4).

    Empty where it never shows these clusters.

    Parameters
    ----------
    model : Model
        With one cluster per centroid.
    own : ndarray of int, shape (P,)
        Which of the k clusters each centroid is in.
    k : int
    """
    tree, apart = _link(model), model.k - k
    nodes = _join(tree[:apart], model.k)
    row_of = {node: int(own[leaves[0]]) for node, leaves in nodes.items()}
    if any((own[leaves] != row_of[node]).any() for node, leaves in nodes.items()):
        return np.empty((0, 4))
    rows: list[tuple[int, int, float, int]] = []
    size = dict.fromkeys(range(k), 1)
    for at, (a, b, height, _) in enumerate(tree[apart:]):
        left, right = sorted((row_of[int(a)], row_of[int(b)]))
        row_of[model.k + apart + at] = k + at
        size[k + at] = size[left] + size[right]
        rows.append((left, right, float(height), size[k + at]))
    return np.array(rows, np.float64).reshape(-1, 4)
