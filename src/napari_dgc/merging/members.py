"""Single clusters that leave their group, for one of their own or another one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from napari_dgc.merging.births import check_new, new_group
from napari_dgc.merging.grouping import Group, Grouping, MergeError
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import Move, TakeApart, TakeOut


def take_out(grouping: Grouping, step: TakeOut) -> tuple[TakeOut, Grouping, str]:
    """Take one cluster out of its group; see `TakeOut`."""
    home = unlocked(grouping, grouping.group_of(step.cluster).id)
    if len(home.clusters) == 1:
        raise MergeError(f"cluster {step.cluster} is alone in “{home.name}” already")
    new_id = grouping.next_id if step.new_group is None else step.new_group
    return (
        replace(step, new_group=new_id),
        _apart(grouping, {step.cluster: new_id}),
        f"take cluster {step.cluster} out of {home.id}",
    )


def take_apart(grouping: Grouping, step: TakeApart) -> tuple[TakeApart, Grouping, str]:
    """Take clusters out of their groups, each by itself; see `TakeApart`."""
    _check_some(step.clusters)
    homes = {c: unlocked(grouping, grouping.group_of(c).id) for c in step.clusters}
    chosen = set(step.clusters)
    leaving = tuple(
        cluster
        for cluster, home in homes.items()
        if cluster != home.value or not chosen.issuperset(home.clusters)
    )
    if not leaving:
        raise MergeError("these clusters are alone in their groups already")
    ids = step.new_groups
    if ids is None:
        ids = tuple(range(grouping.next_id, grouping.next_id + len(leaving)))
    if len(set(ids)) != len(ids) or len(ids) != len(leaving):
        raise MergeError(
            f"{len(leaving)} clusters become groups of their own, so {ids} cannot be "
            "their ids"
        )
    left = ", ".join(str(id) for id in dict.fromkeys(homes[c].id for c in leaving))
    return (
        TakeApart(leaving, ids),
        _apart(grouping, dict(zip(leaving, ids, strict=True))),
        f"take {_listed(leaving)} out of {left}",
    )


def move(grouping: Grouping, step: Move) -> tuple[Grouping, str]:
    """Put clusters of other groups into one; see `Move`."""
    _check_some(step.clusters)
    target = unlocked(grouping, step.target)
    moved = tuple(c for c in step.clusters if c not in target.clusters)
    if not moved:
        raise MergeError(f"what shall go into “{target.name}” is in it already")
    for cluster in moved:
        unlocked(grouping, grouping.group_of(cluster).id)
    # As with a merge: the hand has the last word, one atom for all of it.
    grown = replace(target, atoms=((*target.clusters, *moved),))
    rows = (
        grown if group.id == target.id else _without(group, moved)
        for group in grouping.groups
    )
    groups = tuple(group for group in rows if group is not None)
    return replace(grouping, groups=groups), f"move {_listed(moved)} into {target.id}"


def split(grouping: Grouping, step: Split) -> tuple[Split, Grouping, str]:
    """Let new clusters come of one; see `Split`."""
    home = unlocked(grouping, grouping.group_of(step.cluster).id)
    taken = set(grouping.clusters).intersection(step.parts)
    if taken:
        raise MergeError(f"the cluster id {min(taken)} is in use already")
    alone = len(home.clusters) == 1
    ids = step.new_groups
    if ids is None:
        new = len(step.parts) if alone else 0
        ids = tuple(range(grouping.next_id, grouping.next_id + new))
    if len(set(ids)) != len(ids) or len(ids) not in (0, alone * len(step.parts)):
        raise MergeError(f"{ids} cannot be the ids of the groups of {step.parts}")
    grown = replace(home, atoms=_grown(home, step))
    rows = [grown if group.id == home.id else group for group in grouping.groups]
    after = replace(grouping, groups=tuple(rows))
    if ids:
        after = _apart(after, dict(zip(step.parts, ids, strict=True)))
    number = len(step.parts) + 1
    text = f"split cluster {step.cluster} into {number}"
    return replace(step, new_groups=ids), after, text


def _grown(home: Group, step: Split) -> tuple[tuple[int, ...], ...]:
    """Atoms of a group with the parts: one each, or in the one tied by hand."""
    tied = next(atom for atom in home.atoms if step.cluster in atom)
    others = tuple(atom for atom in home.atoms if atom is not tied)
    if len(tied) == 1:
        return *others, tied, *((part,) for part in step.parts)
    return *others, (*tied, *step.parts)


def unlocked(grouping: Grouping, id: int) -> Group:
    """Look up a group that takes and gives clusters; MergeError if it is locked."""
    group = grouping.group(id)
    if group.locked:
        raise MergeError(f"“{group.name}” is locked; unlock it to change what it holds")
    return group


def _apart(grouping: Grouping, births: dict[int, int]) -> Grouping:
    """Give clusters groups of their own, right below the ones they leave."""
    for id in births.values():
        check_new(grouping, id)
    taken = list(grouping.groups)
    rows: list[Group] = []
    for group in grouping.groups:
        leaving = [cluster for cluster in group.clusters if cluster in births]
        rest = _without(group, leaving)
        rows += [] if rest is None else [rest]
        for cluster in leaving:
            born = new_group(births[cluster], ((cluster,),), taken)
            taken.append(born)
            rows.append(born)
    return Grouping(tuple(rows), max(births.values()) + 1)


def _without(group: Group, clusters: Collection[int]) -> Group | None:
    """Give a group less some clusters; None where none is left."""
    left = (tuple(c for c in atom if c not in clusters) for atom in group.atoms)
    atoms = tuple(atom for atom in left if atom)
    return replace(group, atoms=atoms) if atoms else None


def _check_some(clusters: Collection[int]) -> None:
    if not clusters:
        raise MergeError("no cluster is named that shall leave its group")


def _listed(clusters: Collection[int]) -> str:
    noun = "cluster" if len(clusters) == 1 else "clusters"
    return f"{noun} {', '.join(map(str, clusters))}"
