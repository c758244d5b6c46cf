"""The tree of clusters, and cutting it at any number of groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from napari_dgc.merging.grouping import Atom, Group, Grouping, MergeError
from napari_dgc.merging.steps import Cut, Part


@dataclass(frozen=True, slots=True, eq=False)
class ClusterTree:
    """Which clusters are alike, from all apart to all together.

    Attributes
    ----------
    cluster_ids : tuple of int, length K
        The leaves; leaf ``i`` of `linkage` is cluster ``cluster_ids[i]``.
    linkage : ndarray of float64, shape (K - 1, 4)
        SciPy's form. Heights are spectral angles in radians, 0 where a cluster
        without a spectrum hangs on its neighbour.
    counts : ndarray of int64, shape (K,)
        Pixels per leaf.
    """

    cluster_ids: tuple[int, ...]
    linkage: NDArray[np.float64]
    counts: NDArray[np.int64]

    def cut(self, grouping: Grouping, n: int) -> Cut:
        """Deal the unlocked groups anew so that there are `n` groups.

        The tree's merges are taken from the lowest upwards, beginning with the
        grouping's atoms, so cuts at descending `n` only ever merge. Groups made
        by hand are one atom each and stay together; locked groups stay as they
        are, take no part, and count. Where `n` is out of reach, the nearest
        number that is not is taken: as many groups as there are atoms, or all
        unlocked ones in one.

        A part keeps the identity of the old group whose largest share it holds
        (in pixels, then in clusters); where it holds several, that of the one
        it shares most with, the lowest id at a tie. The others are new groups.

        Parameters
        ----------
        grouping : Grouping
            Of clusters this tree knows; it need not hold all of them.
        n : int
            Number of groups, locked ones included; at least 1.

        Returns
        -------
        Cut
            For `operations.apply` or `History.do`; needs no tree to replay.

        Raises
        ------
        MergeError
            If `n` is below 1 or a cluster is not in this tree.
        """
        if n < 1:
            raise MergeError(f"there cannot be {n} groups; ask for 1 or more")
        unknown = set(grouping.clusters) - set(self.cluster_ids)
        if unknown:
            raise MergeError(f"cluster {min(unknown)} is not in the tree of clusters")
        free = [group for group in grouping.groups if not group.locked]
        wanted = n - (len(grouping.groups) - len(free))
        parts = self._parts([a for g in free for a in g.atoms], max(1, wanted))
        keepers = self._keepers(free, parts)
        new_ids = iter(range(grouping.next_id, grouping.next_id + len(parts)))
        return Cut(
            n,
            tuple(
                Part(keepers[i] if i in keepers else next(new_ids), part)
                for i, part in enumerate(parts)
            ),
        )

    def _parts(self, atoms: Sequence[Atom], wanted: int) -> list[tuple[Atom, ...]]:
        """Join atoms along the tree until `wanted` parts are left."""
        part_of = {cluster: i for i, atom in enumerate(atoms) for cluster in atom}
        members: dict[int, list[Atom]] = {i: [atom] for i, atom in enumerate(atoms)}
        for left, right in self._merges():
            if len(members) <= wanted:
                break
            # Clusters below one node are in one part by now: any one speaks for
            # them. Locked clusters (and such as are in no group) have no part.
            a = next((part_of[c] for c in left if c in part_of), None)
            b = next((part_of[c] for c in right if c in part_of), None)
            if a is None or b is None or a == b:
                continue
            moved = members.pop(b)
            members[a] += moved
            part_of.update((c, a) for atom in moved for c in atom)
        return sorted(tuple(sorted(part)) for part in members.values())

    def _merges(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield the clusters left and right of every node, lowest node first."""
        nodes = [[cluster] for cluster in self.cluster_ids]
        for row in self.linkage:
            left, right = nodes[int(row[0])], nodes[int(row[1])]
            nodes.append(left + right)
            yield left, right

    def _keepers(
        self, groups: Sequence[Group], parts: Sequence[Sequence[Atom]]
    ) -> dict[int, int]:
        """Which part (by place) keeps which old group's id."""
        pixels = dict(zip(self.cluster_ids, self.counts.tolist(), strict=True))
        part_of = {c: i for i, part in enumerate(parts) for atom in part for c in atom}
        claims: dict[int, tuple[tuple[int, int, int], int]] = {}
        for group in groups:
            count, size = Counter[int](), Counter[int]()
            for cluster in group.clusters:
                count[part_of[cluster]] += pixels[cluster]
                size[part_of[cluster]] += 1
            # Parts are in the order of their lowest clusters: the last tie-break.
            heir = max(size, key=lambda part: (count[part], size[part], -part))
            claim = (count[heir], size[heir], -group.id), group.id
            claims[heir] = max(claims.get(heir, claim), claim)
        return {part: id for part, (_, id) in claims.items()}


def build_tree(
    mean_spectra: ArrayLike,
    counts: ArrayLike,
    centroids: ArrayLike | None = None,
    *,
    cluster_ids: Sequence[int] | None = None,
) -> ClusterTree:
    """Average linkage on the spectral angle between mean spectra.

    In a mean spectrum the noise has averaged out, and the angle does not see
    brightness: a leaf's bright and dim parts meet before leaf and lesion do.

    Parameters
    ----------
    mean_spectra : array_like, shape (K, C)
        Rows of clusters without pixels are not looked at. A spectrum of zeros
        has no direction: it counts as square to all others.
    counts : array_like of int, shape (K,)
        Pixels per cluster.
    centroids : array_like, shape (K, D + 1), optional
        A cluster without pixels joins, at height 0, the one that has some and
        whose centroid is nearest (without centroids: the first one). If none
        has pixels, the tree is built on the angle between the centroids.
    cluster_ids : sequence of int, optional
        1..K if not given.

    Raises
    ------
    ValueError
        If the lengths differ, an id comes twice, there is no cluster, or a
        counted spectrum or a centroid is not finite.
    """
    spectra = np.asarray(mean_spectra, np.float64)
    count = np.asarray(counts, np.int64)
    K = len(count)
    ids = tuple(map(int, range(1, K + 1) if cluster_ids is None else cluster_ids))
    anchors = None if centroids is None else np.asarray(centroids, np.float64)
    if K < 1 or spectra.ndim != 2 or {len(spectra), len(ids)} != {K}:
        raise ValueError("give one mean spectrum, count and id per cluster")
    if len(set(ids)) < K:
        raise ValueError(f"a cluster id comes twice: {ids}")
    if anchors is not None and (anchors.ndim != 2 or len(anchors) != K):
        raise ValueError("give one centroid per cluster")
    counted = count > 0
    if not np.isfinite(spectra[counted]).all():
        raise ValueError("a mean spectrum is not finite; leave such pixels out of it")
    if anchors is not None and not np.isfinite(anchors).all():
        raise ValueError("a centroid is not finite")
    if not counted.any():
        points = np.zeros((K, 1)) if anchors is None else anchors
        return ClusterTree(ids, _link(spectral_angles(points)), count)
    hosts = np.flatnonzero(counted)
    rest = np.flatnonzero(~counted)
    joined = [(int(i), _nearest(anchors, int(i), hosts)) for i in rest]
    tree = _hang(joined, hosts, _link(spectral_angles(spectra[hosts])), K)
    return ClusterTree(ids, tree, count)


def spectral_angles(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between all pairs of spectra, (K, K), in radians.

    Exact for nearly parallel spectra too, where the arc cosine loses half its
    digits: 2 atan2(|u - v|, |u + v|) for unit vectors u and v (W. Kahan, "How
    futile are mindless assessments of roundoff", 2006, section 12). A spectrum
    of zeros is square to all others and parallel to another of zeros.
    """
    scale = np.abs(spectra).max(axis=1, keepdims=True)  # no overflow when squared
    units = spectra / np.where(scale > 0, scale, 1)
    norms = np.linalg.norm(units, axis=1, keepdims=True)
    units /= np.where(norms > 0, norms, 1)
    dark = norms[:, 0] == 0
    angles = np.zeros((len(units), len(units)))
    for i, unit in enumerate(units):  # row by row: (K, C) of memory, not (K, K, C)
        apart = np.linalg.norm(units - unit, axis=1)
        together = np.linalg.norm(units + unit, axis=1)
        angles[i] = np.where(
            dark == dark[i], 2 * np.arctan2(apart, together), np.pi / 2
        )
    angles[np.ix_(dark, dark)] = 0
    np.fill_diagonal(angles, 0)
    return np.asarray((angles + angles.T) / 2)  # to the last digit symmetric


def _link(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(angles) < 2:
        return np.empty((0, 4))
    return np.asarray(linkage(squareform(angles), "average"), np.float64)


def _nearest(
    centroids: NDArray[np.float64] | None, i: int, hosts: NDArray[np.intp]
) -> int:
    """Host whose centroid is nearest to leaf i's; the first one at a tie."""
    if centroids is None:
        return int(hosts[0])
    distance = np.linalg.norm(centroids[hosts] - centroids[i], axis=1)
    return int(hosts[int(distance.argmin())])


def _hang(
    joined: Sequence[tuple[int, int]],
    hosts: NDArray[np.intp],
    above: NDArray[np.float64],
    K: int,
) -> NDArray[np.float64]:
    """Put the leaves without pixels under their hosts, below the tree of hosts."""
    node = {int(host): int(host) for host in hosts}  # where each host's stem ends
    size = dict.fromkeys(range(K), 1)
    rows: list[tuple[float, float, float, float]] = []

    def join(a: int, b: int, height: float) -> int:
        new = K + len(rows)
        size[new] = size[a] + size[b]
        rows.append((min(a, b), max(a, b), height, size[new]))
        return new

    for leaf, host in joined:
        node[host] = join(node[host], leaf, 0.0)
    ends = [node[int(host)] for host in hosts]
    for left, right, height, _ in above:
        ends.append(join(ends[int(left)], ends[int(right)], float(height)))
    return np.array(rows, np.float64).reshape(-1, 4)
