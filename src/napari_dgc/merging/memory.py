"""What groups were before cuts made them larger or merged them into others.

Cutting coarse and then finer again must give names, colours and roles back to the
clusters they were given to, not to whatever part of the coarse group is largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from napari_dgc.merging.grouping import Group
from napari_dgc.merging.operations import Change
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import (
    Adopt,
    Cut,
    Merge,
    Move,
    TakeApart,
    TakeOut,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """A group as it last was, and the clusters it had before cuts changed it."""

    group: Group
    clusters: tuple[int, ...]


def remember(
    changes: Iterable[Change], known: Mapping[int, Origin] = MappingProxyType({})
) -> dict[int, Origin]:
    """Where groups come from, by id: those at hand and those cuts have taken away.

    Parameters
    ----------
    changes : iterable of Change
        The steps taken, in their order. What a hand has merged or taken out is
        what it is: only cuts are looked behind.
    known : mapping of int to Origin
        What was known before them; not altered.
    """
    origins = dict(known)
    for change in changes:
        match change.operation:
            case Cut():
                _follow_cut(origins, change, change.operation)
            case Merge(sources, target):
                _forget(origins, sources)
                _forget_holders(origins, change.after.group(target).clusters)
            case Move(clusters, target):
                _forget(origins, [change.before.group_of(c).id for c in clusters])
                _forget_holders(origins, change.after.group(target).clusters)
            case TakeOut(cluster):
                _forget(origins, [change.before.group_of(cluster).id])
            case TakeApart(clusters):
                _forget(origins, [change.before.group_of(c).id for c in clusters])
            case Adopt():
                origins.clear()
            case Split(cluster, parts) if not change.operation.new_groups:
                for id, origin in origins.items():
                    if cluster in origin.clusters:
                        held = tuple(sorted((*origin.clusters, *parts)))
                        origins[id] = Origin(origin.group, held)
    return origins


def _forget(origins: dict[int, Origin], groups: Iterable[int]) -> None:
    for id in groups:
        origins.pop(id, None)


def _forget_holders(origins: dict[int, Origin], clusters: Iterable[int]) -> None:
    """Forget all that had any of these clusters."""
    held = set(clusters)
    _forget(origins, [i for i, o in origins.items() if not held.isdisjoint(o.clusters)])


def _follow_cut(origins: dict[int, Origin], change: Change, cut: Cut) -> None:
    before, after = change.before, change.after
    for group in before.groups:
        if group.id not in origins:
            origins[group.id] = Origin(group, group.clusters)
    for id in change.removed:
        origins[id] = Origin(before.group(id), origins[id].clusters)
    for part in cut.parts:
        if part.name is None:
            continue
        for id, origin in [*origins.items()]:  # it is there again, with another id
            if id not in after and origin.group.name == part.name:
                del origins[id]
                group = after.group(part.group)
                origins[part.group] = Origin(group, origin.clusters)
