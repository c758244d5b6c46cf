"""Which groups are worth merging next, and why.

Costs are taken between clusters once per set of maps; those between groups are
means over them, so that ranking all pairs of a grouping reads no pixel and takes
well under a frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_dgc.cubes.likeness import LAST, tree_angles
from napari_dgc.merging.grouping import ROLES, Group, Grouping, is_named
from napari_dgc.merging.palette import MAX_CLUSTER
from napari_dgc.merging.ranking import Ranking
from napari_dgc.merging.statistics import ClusterStatistics

# How much a shared outline and appearing in the same cubes tell beside the spectra
# (docs/engine.md, "Suggestions"): the spectra decide, these break near-ties.
_OUTLINE = 0.1
_APART = 2.0

Rejection = tuple[frozenset[int], frozenset[int]]
"""Two sets of clusters that do not belong together."""


class Suggester:
    """Ranks the pairs of a grouping.

    Parameters
    ----------
    cluster_ids : sequence of int, length K
    mean_spectra : array_like, shape (K, C)
    counts : array_like of int, shape (K,)
        Pixels behind each mean spectrum; clusters without any are never suggested.
    centroids : array_like, shape (K, D + 1), optional
        On the unit sphere.
    statistics : sequence of ClusterStatistics
        One per mapped cube; may be empty.
    """

    def __init__(
        self,
        cluster_ids: Sequence[int],
        mean_spectra: ArrayLike,
        counts: ArrayLike,
        centroids: ArrayLike | None = None,
        statistics: Sequence[ClusterStatistics] = (),
    ) -> None:
        self._ids = np.asarray(cluster_ids, np.intp)
        self._place = np.full(MAX_CLUSTER + 1, -1)
        self._place[self._ids] = np.arange(len(self._ids))
        self._count = np.asarray(counts, np.float64)
        spectra = np.asarray(mean_spectra, np.float64)
        self._has = (self._count > 0) & np.isfinite(spectra).all(axis=1)
        self._seen = frozenset(self._ids[self._has].tolist())
        self._spectra = np.where(self._has[:, None], spectra, 0.0)
        self._centroids = None if centroids is None else np.asarray(centroids, float)
        self._statistics = statistics

    def suggest(
        self, grouping: Grouping, *, rejected: Iterable[Rejection] = ()
    ) -> Ranking:
        """Rank all pairs that may be merged, the likest first.

        Locked groups take no part; neither do pairs with two different roles,
        groups without a pixel, pairs too far apart (`ranking.FARTHEST`), and those
        that `rejected` forbids: that hold all clusters of both its sides, one in
        each group.
        """
        groups = self._free(grouping)
        if len(groups) < 2:
            return Ranking()
        member = self._members(groups)
        costs = self._pairs(member)
        i, j = np.triu_indices(len(groups), 1)
        role = np.array([ROLES.index(g.role) + 1 if g.role else 0 for g in groups])
        may = _allowed(groups, rejected)[i, j]
        may &= (role[i] == 0) | (role[j] == 0) | (role[i] == role[j])
        i, j = i[may], j[may]
        before = _order(groups, member @ self._count)
        target, source = np.where(before[i] < before[j], (i, j), (j, i))
        ids = np.array([group.id for group in groups])
        return Ranking(ids[source], ids[target], [field[i, j] for field in costs])

    def like(
        self,
        grouping: Grouping,
        group: int,
        *,
        rejected: Iterable[Rejection] = (),
    ) -> Ranking:
        """Rank what might go into one group, which is the target of all."""
        return self.suggest(grouping, rejected=rejected).into(group)

    def angle(self, grouping: Grouping, sources: Iterable[int], target: int) -> float:
        """Angle between a target and all sources taken as one group, in degrees.

        The one of `Reasons` where there is one source. NaN where a side has no
        pixel.
        """
        angles = self._angles(len(self._free(grouping)))
        one, other = (
            [
                self._place[c]
                for id in ids
                for c in grouping.group(id).clusters
                if c in self._seen
            ]
            for ids in (sources, [target])
        )
        if not (one and other):
            return math.nan
        weights = np.outer(self._count[one], self._count[other])
        return math.degrees(np.average(angles[np.ix_(one, other)], weights=weights))

    def _angles(self, count: int) -> NDArray[np.float64]:
        """Between clusters, (K, K), as they count among so many groups."""
        return self._fine if count > LAST else self._coarse

    @cached_property
    def _fine(self) -> NDArray[np.float64]:
        return tree_angles(self._spectra, self._has)

    @cached_property
    def _coarse(self) -> NDArray[np.float64]:
        return tree_angles(self._spectra, self._has, last=True)

    def _free(self, grouping: Grouping) -> list[Group]:
        """Groups that may merge: not locked, of known clusters, with a spectrum."""
        return [
            group
            for group in grouping.groups
            if not (group.locked or self._seen.isdisjoint(group.clusters))
        ]

    def _members(self, groups: Sequence[Group]) -> NDArray[np.float64]:
        """Which clusters are in each group, (G, K): 1 or 0."""
        member = np.zeros((len(groups), len(self._ids)))
        rows = np.repeat(np.arange(len(groups)), [len(g.clusters) for g in groups])
        places = self._place[[c for group in groups for c in group.clusters]]
        member[rows[places >= 0], places[places >= 0]] = 1
        return member

    def _pairs(self, member: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Cost, angle, embedding, outline, together: (G, G) each."""
        # Average linkage over pixels, where the tree has it over clusters: a sliver
        # of odd pixels is a cluster as much as a whole leaf, but not as heavy.
        known = member * np.where(self._has, self._count, 0)
        pairs = known.sum(1)[:, None] * known.sum(1)
        angle = (known @ self._angles(len(member)) @ known.T) / pairs
        embedding = np.full(angle.shape, np.nan)
        if self._centroids is not None:
            mean = (member * np.maximum(self._count, 1)) @ self._centroids
            mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
            embedding = np.arccos(np.clip(mean @ mean.T, -1, 1))
        boundary, shares = self._gathered
        outline = _shared_outline(member @ boundary @ member.T)
        together = _likeness(member @ shares)
        cost = angle * (1 - _OUTLINE * outline) * (1 + _APART * (1 - together))
        return cost, angle, embedding, outline, together

    @cached_property
    def _gathered(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Outlines (K, K) over all cubes; share of each cube's pixels, (K, cubes)."""
        # Rows by id first: whole blocks add up ten times as fast as picked ones.
        total = np.zeros((MAX_CLUSTER + 1, MAX_CLUSTER + 1))
        shares = np.zeros((MAX_CLUSTER + 1, len(self._statistics)))
        for at, one in enumerate(self._statistics):
            rows = len(one.count)
            total[:rows, :rows] += one.boundary
            shares[:rows, at] = one.count / max(1, int(one.count[1:].sum()))
        boundary, shares = total[np.ix_(self._ids, self._ids)], shares[self._ids]
        np.fill_diagonal(boundary, 0)
        return boundary, shares


def _order(groups: Sequence[Group], sizes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places (G,): of two groups the first keeps its name.

    It is the one with a role, else a name, else more pixels.
    """
    by = [(not g.role, not is_named(g), -size, g.id)
          for g, size in zip(groups, sizes.tolist(), strict=True)]  # fmt: skip
    ranked = sorted(range(len(groups)), key=by.__getitem__)
    order = np.empty(len(groups), np.intp)
    order[ranked] = np.arange(len(groups))
    return order


def _allowed(
    groups: Sequence[Group], rejected: Iterable[Rejection]
) -> NDArray[np.bool_]:
    """Pairs (G, G) that no rejection forbids; takes time by rejections, not pairs."""
    home = {c: place for place, group in enumerate(groups) for c in group.clusters}
    allowed = np.ones((len(groups), len(groups)), bool)
    for pair in rejected:
        # One side lies in one group at most: groups share no cluster.
        sides = [{home.get(cluster, -1) for cluster in side} for side in pair]
        if all(len(side) == 1 and -1 not in side for side in sides):
            (a,), (b,) = sides
            allowed[a, b] = allowed[b, a] = False
    return allowed


def _shared_outline(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the shorter outline that two groups have in common, (G, G)."""
    between = pairs.copy()
    np.fill_diagonal(between, 0)
    length = between.sum(axis=1)
    shorter = np.minimum(length[:, None], length)
    shared = np.zeros_like(between)
    np.divide(between, shorter, out=shared, where=shorter > 0)
    return shared


def _likeness(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of the square roots of shares over the cubes, (G, G).

    The Bhattacharyya coefficient of where two groups' pixels lie. 1 where fewer
    than two cubes are mapped: then nothing is known.
    """
    if shares.shape[1] < 2:
        return np.ones((len(shares), len(shares)))
    roots = np.sqrt(shares)
    norms = np.linalg.norm(roots, axis=1, keepdims=True)
    units = np.divide(roots, norms, out=np.zeros_like(roots), where=norms > 0)
    return np.asarray(np.clip(units @ units.T, 0, 1))
