"""Groups go on with other clusters: matched by the pixels they share.

After another model has mapped the same cubes, its clusters are matched with the
old ones by overlap; what the user has made of the old ones is made of theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from napari_dgc.merging.births import new_group
from napari_dgc.merging.grouping import Atom, Group, Grouping, is_marked
from napari_dgc.merging.palette import MAX_CLUSTER, cluster_color

_IDS = MAX_CLUSTER + 1
_MOST = 0.5  # of a new cluster's pixels lie in the group it goes into


@dataclass(frozen=True, slots=True)
class Pair:
    """An old and a new cluster that are the same.

    Attributes
    ----------
    old, new : int
        Cluster ids.
    overlap : float
        Intersection over union, 0..1.
    """

    old: int
    new: int
    overlap: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A group of the user's that no new cluster goes into.

    Attributes
    ----------
    group : Group
        As it was.
    into : str
        The name of the group that holds most of its pixels now; "" for none.
    """

    group: Group
    into: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a grouping under other clusters.

    Attributes
    ----------
    groups : tuple of Group
        All new clusters, grouped: for `Adopt`. First the user's groups in table
        order, then those of single clusters.
    kept : int
        How many of them are the user's.
    pairs : tuple of Pair
        Old and new clusters matched one to one, by ascending new id.
    joined : tuple of int
        New clusters without a partner that went into a group of the user's because
        most of their pixels lay in it.
    unmatched : tuple of int
        New clusters with neither; each is a group of its own.
    lost : tuple of Lost
        Groups of the user's that are no more.
    """

    groups: tuple[Group, ...]
    kept: int
    pairs: tuple[Pair, ...]
    joined: tuple[int, ...]
    unmatched: tuple[int, ...]
    lost: tuple[Lost, ...]


def count_overlap(old: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels by old and by new cluster id, (256, 256); both maps are (H, W)."""
    if old.shape != new.shape:
        raise ValueError(f"maps of {old.shape} and {new.shape} pixels do not overlap")
    both = old.astype(np.uint16).ravel() * np.uint16(_IDS) + new.ravel()
    return np.bincount(both, minlength=_IDS * _IDS).reshape(_IDS, _IDS)


def match_clusters(overlap: NDArray[np.int64]) -> tuple[Pair, ...]:
    """Pair old with new clusters, one to one.

    Parameters
    ----------
    overlap : ndarray of int64, shape (256, 256)
        Pixels by old and by new id; row and column 0 (no data) do not count.

    Returns
    -------
    tuple of Pair
        By ascending new id. None of them shares no pixel.

    Notes
    -----
    The Hungarian method on the intersection over union, and not on the number of
    pixels: a lesion counts as much as the cloth.
    """
    shared = overlap[1:, 1:].astype(np.float64)
    old, new = shared.sum(1), shared.sum(0)
    union = old[:, None] + new[None, :] - shared
    alike = shared / np.maximum(union, 1)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    pairs = (
        Pair(int(o) + 1, int(n) + 1, float(alike[o, n]))
        for o, n in zip(rows, columns, strict=True)
        if shared[o, n] > 0
    )
    return tuple(sorted(pairs, key=lambda pair: pair.new))


def carry(
    grouping: Grouping, overlap: NDArray[np.int64], new_ids: Iterable[int]
) -> Carried:
    """Make of new clusters what the user has made of the old ones.

    Parameters
    ----------
    grouping : Grouping
        Of the old clusters.
    overlap : ndarray of int64, shape (256, 256)
        Pixels by old and by new id, over all cubes; see `count_overlap`.
    new_ids : iterable of int
        All new cluster ids.

    Returns
    -------
    Carried

    Notes
    -----
    A pair (see `match_clusters`) counts if more than half of the new cluster's
    pixels lie in the old one's group. A new cluster left over goes into the group of
    the user's that held more than half of it; so no group of the user's grows by what
    mostly was something else. What was tied by hand stays tied. A group nobody has
    touched (one cluster, its own name and colour) is no group of the user's: its
    partner is a group like any other new one.
    """
    ids = sorted(set(new_ids))
    known = set(grouping.clusters)
    pairs = tuple(
        pair
        for pair in match_clusters(overlap)
        if pair.new in ids
        and pair.old in known
        and _share(grouping.group_of(pair.old), overlap[:, pair.new]) > _MOST
    )
    parents = {pair.new: pair.old for pair in pairs}
    touched = [group for group in grouping.groups if is_touched(group)]
    joined = []
    for new in ids:
        home = next((g for g in touched if _share(g, overlap[:, new]) > _MOST), None)
        if new not in parents and home is not None:
            members = list(home.clusters)
            parents[new] = members[int(overlap[members, new].argmax())]
            joined.append(new)
    grown = _grow(touched, parents)
    groups = _with_single_clusters(grown, ids)
    return Carried(
        groups,
        len(grown),
        pairs,
        tuple(joined),
        tuple(n for n in ids if n not in parents and overlap[1:, n].any()),
        tuple(_lost(touched, set(parents.values()), groups, overlap)),
    )


def is_touched(group: Group) -> bool:
    """Whether the user has made anything of a group's clusters."""
    return (
        len(group.clusters) > 1
        or is_marked(group)
        or group.locked
        or group.color != cluster_color(group.value)
    )


def _share(group: Group, pixels: NDArray[np.int64]) -> float:
    """The part of a new cluster's pixels (256,) that lay in a group."""
    return float(pixels[list(group.clusters)].sum() / max(1, pixels[1:].sum()))


def _grow(touched: Iterable[Group], parents: Mapping[int, int]) -> list[Group]:
    """The user's groups with the new clusters of their old ones."""
    groups: list[Group] = []
    for group in touched:
        images = (
            tuple(sorted(n for n, old in parents.items() if old in atom))
            for atom in group.atoms
        )
        atoms: tuple[Atom, ...] = tuple(image for image in images if image)
        if not atoms:
            continue
        grown = replace(group, atoms=atoms)
        if not is_marked(replace(group, role=None)):
            # "Cluster 3" is no name for what cluster 3 need not be in any more.
            grown = replace(grown, name=new_group(group.id, atoms, groups).name)
        groups.append(grown)
    return groups


def _with_single_clusters(groups: list[Group], ids: list[int]) -> tuple[Group, ...]:
    """These groups, then each other cluster alone, with its own id where it is free."""
    held = {cluster for group in groups for cluster in group.clusters}
    taken = {group.id for group in groups}
    free = count(max([0, *ids, *taken]) + 1)
    everyone = list(groups)
    for new in ids:
        if new not in held:
            id = new if new not in taken else next(free)
            everyone.append(new_group(id, ((new,),), everyone))
    return tuple(everyone)


def _lost(
    touched: Iterable[Group],
    kept: Collection[int],
    groups: Iterable[Group],
    overlap: NDArray[np.int64],
) -> Iterator[Lost]:
    """The user's groups without a cluster that has a partner (`kept`).

    A colour alone is no loss to tell of.
    """
    for old in touched:
        plain = replace(old, color=cluster_color(old.value))
        if any(c in kept for c in old.clusters) or not is_touched(plain):
            continue
        pixels = overlap[list(old.clusters)].sum(0)  # (256,)
        held = {g.name: int(pixels[list(g.clusters)].sum()) for g in groups}
        into = max(held, key=held.__getitem__, default="")
        yield Lost(old, into if held.get(into) else "")
