"""The tree of clusters, and cutting it at any number of groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_dgc.cubes.likeness import link_clusters
from napari_dgc.merging.grouping import (
    Atom,
    Group,
    Grouping,
    MergeError,
    Role,
    is_marked,
)
from napari_dgc.merging.memory import Origin
from napari_dgc.merging.palette import Color
from napari_dgc.merging.part import Part
from napari_dgc.merging.steps import Cut


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

    def cut(
        self,
        grouping: Grouping,
        n: int,
        origins: Mapping[int, Origin] = MappingProxyType({}),
    ) -> Cut:
        """Deal the unlocked groups anew so that there are `n` groups.

        The tree's merges are taken from the lowest upwards, beginning with the
        grouping's atoms, so cuts at descending `n` only ever merge. Groups made
        by hand are one atom each and stay together; locked groups stay as they
        are, take no part, and count. Where `n` is out of reach, the nearest
        number that is not is taken: as many groups as there are atoms, or all
        unlocked ones in one.

        A part keeps the identity of the old group whose largest share it holds
        (in pixels, then in clusters); where it holds several, that of one with a
        name or a role, then of the one it shares most with, the lowest id at a
        tie. The others are new groups; by the same rule they are given name,
        colour and role of a group that earlier cuts have taken away.

        Parameters
        ----------
        grouping : Grouping
            Of clusters this tree knows; it need not hold all of them.
        n : int
            Number of groups, locked ones included; at least 1.
        origins : mapping of int to Origin
            `History.origins`: shares are those of what groups were before cuts.

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
        claims = [(g, origins[g.id].clusters if g.id in origins else g.clusters)
                  for g in free]  # fmt: skip
        keepers = self._keepers(claims, parts)
        looks = self._looks(grouping, origins, parts, keepers)
        new_ids = iter(range(grouping.next_id, grouping.next_id + len(parts)))
        return Cut(
            n,
            tuple(
                Part(keepers[i], part)
                if i in keepers
                else Part(next(new_ids), part, *looks.get(i, ()))
                for i, part in enumerate(parts)
            ),
        )

    def _looks(
        self,
        grouping: Grouping,
        origins: Mapping[int, Origin],
        parts: Sequence[Sequence[Atom]],
        keepers: Mapping[int, int],
    ) -> dict[int, tuple[str, Color, Role | None]]:
        """Name, colour and role of groups that are gone, for new parts, by place."""
        gone = [
            (o.group, o.clusters) for id, o in origins.items() if id not in grouping
        ]
        by_id = {group.id: group for group, _ in gone}
        names = {group.name for group in grouping.groups if group.locked}
        names |= {grouping.group(id).name for id in keepers.values()}
        looks: dict[int, tuple[str, Color, Role | None]] = {}
        for place, id in self._keepers(gone, parts).items():
            group = by_id[id]
            if place not in keepers and group.name not in names:
                names.add(group.name)
                looks[place] = group.name, group.color, group.role
        return looks

    def joins(self, grouping: Grouping) -> tuple[int, ...]:
        """Rows of `linkage` that cuts of a grouping join at, from the lowest up.

        From as many groups as there are atoms, each makes one fewer. The rows
        that are not among them join what a lock or the hand has settled.
        """
        atoms = [a for g in grouping.groups if not g.locked for a in g.atoms]
        return tuple(row for row, _ in self._joined(atoms))

    def heir(self, groups: Iterable[Group]) -> Group:
        """The group that keeps its identity where these become one.

        One with a name of its own or a role comes before others; then the one
        with most pixels, then clusters, the lowest id at a tie.
        """
        pixels = self._pixels()
        return max(
            groups,
            key=lambda g: (
                is_marked(g),
                sum(pixels.get(c, 0) for c in g.clusters),
                len(g.clusters),
                -g.id,
            ),
        )

    def _pixels(self) -> dict[int, int]:
        return dict(zip(self.cluster_ids, self.counts.tolist(), strict=True))

    def _parts(self, atoms: Sequence[Atom], wanted: int) -> list[tuple[Atom, ...]]:
        """Join atoms along the tree until `wanted` parts are left."""
        parts: Iterable[Sequence[Atom]] = [[atom] for atom in atoms]
        if len(atoms) > wanted:
            for _, members in self._joined(atoms):
                parts = members.values()
                if len(members) <= wanted:
                    break
        return sorted(tuple(sorted(part)) for part in parts)

    def _joined(
        self, atoms: Sequence[Atom]
    ) -> Iterator[tuple[int, dict[int, list[Atom]]]]:
        """Join atoms along the tree; yields each row that does, and the parts left."""
        part_of = {cluster: i for i, atom in enumerate(atoms) for cluster in atom}
        members: dict[int, list[Atom]] = {i: [atom] for i, atom in enumerate(atoms)}
        for row, (left, right) in enumerate(self._merges()):
            # Clusters below one node are in one part by now: any one speaks for
            # them. Locked clusters (and such as are in no group) have no part.
            a = next((part_of[c] for c in left if c in part_of), None)
            b = next((part_of[c] for c in right if c in part_of), None)
            if a is None or b is None or a == b:
                continue
            moved = members.pop(b)
            members[a] += moved
            part_of.update((c, a) for atom in moved for c in atom)
            yield row, members

    def _merges(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield the clusters left and right of every node, lowest node first."""
        nodes = [[cluster] for cluster in self.cluster_ids]
        for row in self.linkage:
            left, right = nodes[int(row[0])], nodes[int(row[1])]
            nodes.append(left + right)
            yield left, right

    def _keepers(
        self,
        groups: Iterable[tuple[Group, tuple[int, ...]]],
        parts: Sequence[Sequence[Atom]],
    ) -> dict[int, int]:
        """Which part (by place) keeps which group's id.

        Groups are given with the clusters that speak for them.
        """
        pixels = self._pixels()
        part_of = {c: i for i, part in enumerate(parts) for atom in part for c in atom}
        claims: dict[int, tuple[tuple[bool, int, int, int], int]] = {}
        for group, clusters in groups:
            count, size = Counter[int](), Counter[int]()
            for cluster in clusters:
                if cluster in part_of:  # else it is locked by now
                    count[part_of[cluster]] += pixels[cluster]
                    size[part_of[cluster]] += 1
            if not size:
                continue
            # Parts are in the order of their lowest clusters: the last tie-break.
            heir = max(size, key=lambda part: (count[part], size[part], -part))
            share = count[heir], size[heir]
            claim = (is_marked(group), *share, -group.id), group.id
            claims[heir] = max(claims.get(heir, claim), claim)
        return {part: id for part, (_, id) in claims.items()}


def build_tree(
    mean_spectra: ArrayLike,
    counts: ArrayLike,
    centroids: ArrayLike | None = None,
    *,
    cluster_ids: Sequence[int] | None = None,
) -> ClusterTree:
    """Average linkage on an angle between mean spectra (see `likeness`).

    In a mean spectrum the noise has averaged out, and the angle hardly sees
    light or glint: a leaf's bright and dim parts meet before leaf and lesion do.

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
    return ClusterTree(ids, link_clusters(spectra, count, anchors), count)
