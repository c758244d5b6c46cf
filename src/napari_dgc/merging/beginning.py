"""The cut of the tree that a user may begin with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_dgc.merging.grouping import Atom, Group, is_named
from napari_dgc.merging.history import History
from napari_dgc.merging.ranking import FARTHEST
from napari_dgc.merging.steps import Merge, Recolor, Rename, SetLock, SetRole
from napari_dgc.merging.suggestions import Rejection
from napari_dgc.merging.tree import ClusterTree

FEWEST, MOST = 3, 8
"""Groups to begin with: background, healthy and lesion are three."""

# What a user may have done before: none of it is lost by a cut. After others (a cut,
# a split, a cluster taken out) the groups are as many as they are for a reason.
_KEPT = (Merge, Rename, Recolor, SetRole, SetLock)
_MANY = 1.5  # times the groups of the cut must be there, for it to be worth a question
_NEAR_WIDEST = 0.9  # of the widest gap: then the cut that leaves more groups is taken


@dataclass(frozen=True, slots=True)
class Beginning:
    """A cut of the tree worth beginning with.

    Attributes
    ----------
    groups : int
        How many there would be, locked ones included: what to cut at.
    joined : float
        The highest fork that is joined, in degrees.
    apart : float
        The lowest fork that is not, in degrees.
    """

    groups: int
    joined: float
    apart: float


def may_begin(groups: int) -> bool:
    """Whether so many groups are worth a question about fewer."""
    return groups >= _MANY * FEWEST


def suggest_beginning(
    tree: ClusterTree, history: History, *, rejected: Iterable[Rejection] = ()
) -> Beginning | None:
    """Find the number of groups at which the tree of clusters parts most clearly.

    Parameters
    ----------
    tree : ClusterTree
    history : History
        The groups at hand and the steps that led to them.
    rejected : iterable of Rejection
        Groups that are not to be together.

    Returns
    -------
    Beginning or None
        None where the groups are hardly more already, where a step was taken that
        a cut would undo, or where no cut keeps apart what is far apart, has two
        roles, two names of its own, or was rejected.

    Notes
    -----
    Without labels: of the cuts at `FEWEST` to `MOST` groups (locked ones apart) the
    one in the widest gap between forks. The gap is that of the square roots of
    their angles: the plain difference looks at the topmost forks only, the ratio at
    the lowest (docs/engine.md, "Suggestions").
    """
    grouping = history.current
    if not all(isinstance(step, _KEPT) for step in history.operations):
        return None
    free = [group for group in grouping.groups if not group.locked]
    locked = len(grouping.groups) - len(free)
    heights = np.degrees(tree.linkage[list(tree.joins(grouping)), 2])
    sides = [*rejected]
    for n in _clearest(heights.tolist()):
        if len(free) < _MANY * n:
            break
        cut = tree.cut(grouping, n + locked, history.origins())
        if _keeps_apart(free, [part.atoms for part in cut.parts], sides):
            return Beginning(n + locked, float(heights[-n]), float(heights[1 - n]))
    return None


def _clearest(heights: Sequence[float]) -> Iterator[int]:
    """Yield numbers of groups, the clearest cut first.

    Heights are the forks', in degrees, from the lowest up; there is one group more
    than forks. What is too far apart to be asked about as a pair is not joined.
    """
    roots = [math.sqrt(max(0.0, height)) for height in heights]
    gaps = {
        n: roots[1 - n] - roots[-n]
        for n in range(FEWEST, min(MOST, len(heights)) + 1)
        if heights[-n] <= FARTHEST
    }
    while gaps:
        least = _NEAR_WIDEST * max(gaps.values())
        best = max(n for n, gap in gaps.items() if gap >= least)
        del gaps[best]
        yield best


def _keeps_apart(
    groups: Sequence[Group],
    parts: Sequence[Sequence[Atom]],
    rejected: Sequence[Rejection],
) -> bool:
    """Whether no part holds what should not go together, and no group is torn."""
    for part in parts:
        clusters = {cluster for atom in part for cluster in atom}
        held = [g for g in groups if not clusters.isdisjoint(g.clusters)]
        if not all(clusters.issuperset(g.clusters) for g in held):
            return False
        if len({g.role for g in held if g.role}) > 1 or sum(map(is_named, held)) > 1:
            return False
        if any(clusters >= one | other for one, other in rejected):
            return False
    return True
