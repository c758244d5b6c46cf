"""Taking steps: `apply` is the one door through which a grouping changes.

The steps themselves (`Merge`, `TakeOut`, ...) are plain data in `steps` and can be
imported from here too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_dgc.merging.births import check_new, new_group
from napari_dgc.merging.grouping import Group, Grouping, MergeError
from napari_dgc.merging.members import move, split, take_apart, take_out, unlocked
from napari_dgc.merging.part import Part
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import (
    Adopt,
    Cut,
    Merge,
    Move,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
    operation_from_json,
)

__all__ = [
    "Adopt",
    "Change",
    "Cut",
    "Merge",
    "MergeError",
    "Move",
    "Operation",
    "Part",
    "Recolor",
    "Rename",
    "SetLock",
    "SetRole",
    "Split",
    "TakeApart",
    "TakeOut",
    "apply",
    "operation_from_json",
]


@dataclass(frozen=True, slots=True)
class Change:
    """What one step did.

    Attributes
    ----------
    operation : Operation
        The step, with every id it gave away: applied to `before` it gives
        `after` again.
    before, after : Grouping
        The very same object where nothing changed.
    text : str
        What happened, such as "merge 3, 5 into 2".
    """

    operation: Operation
    before: Grouping
    after: Grouping
    text: str

    @property
    def changed(self) -> bool:
        """Whether there is any difference."""
        return self.before is not self.after

    @property
    def changed_clusters(self) -> tuple[int, ...]:
        """Clusters whose label value or group is another one now, ascending."""
        old, new = _places(self.before), _places(self.after)
        return tuple(c for c in sorted(old | new) if old.get(c) != new.get(c))

    @property
    def changed_groups(self) -> tuple[int, ...]:
        """Ids of groups that came, went or differ in anything, ascending."""
        differ = set(self.before.groups) ^ set(self.after.groups)
        return tuple(sorted({group.id for group in differ}))

    @property
    def added(self) -> tuple[int, ...]:
        """Ids of groups that are new, in table order."""
        return tuple(id for id in self.after.ids if id not in self.before)

    @property
    def removed(self) -> tuple[int, ...]:
        """Ids of groups that are gone, in their former table order."""
        return tuple(id for id in self.before.ids if id not in self.after)


def apply(grouping: Grouping, operation: Operation) -> Change:
    """Take one step; the grouping given stays as it is.

    Parameters
    ----------
    grouping : Grouping
    operation : Operation

    Returns
    -------
    Change
        A step that alters nothing is no error: ``change.changed`` is False.

    Raises
    ------
    MergeError
        If the step cannot be taken, in words for the user.
    """
    done: Operation = operation
    match operation:
        case Merge():
            after, text = _merge(grouping, operation)
        case TakeOut():
            done, after, text = take_out(grouping, operation)
        case TakeApart():
            done, after, text = take_apart(grouping, operation)
        case Move():
            after, text = move(grouping, operation)
        case Rename(id, name):
            after = _altered(grouping, replace(grouping.group(id), name=name))
            text = f"rename {id} to “{name}”"
        case Recolor(id, color):
            after = _altered(grouping, replace(grouping.group(id), color=color))
            text = f"recolour {id}"
        case SetRole(id, role, color):
            group = grouping.group(id)
            color = group.color if color is None else color
            after = _altered(grouping, replace(group, role=role, color=color))
            text = f"make {id} {role}" if role else f"clear the role of {id}"
        case SetLock(id, locked):
            after = _altered(grouping, replace(grouping.group(id), locked=locked))
            text = f"{'lock' if locked else 'unlock'} {id}"
        case Cut():
            after, text = _cut(grouping, operation)
        case Adopt():
            done, after, text = _adopt(grouping, operation)
        case Split():
            done, after, text = split(grouping, operation)
    if after.groups == grouping.groups:
        after = grouping
    return Change(done, grouping, after, text)


def _merge(grouping: Grouping, step: Merge) -> tuple[Grouping, str]:
    if not step.sources:
        raise MergeError("a merge needs at least one group to put into the target")
    target = unlocked(grouping, step.target)
    if step.target in step.sources:
        raise MergeError(f"“{target.name}” cannot be merged into itself")
    sources = [unlocked(grouping, source) for source in step.sources]
    # The hand has the last word: one atom, which no granularity takes apart.
    atom = tuple(c for group in (target, *sources) for c in group.clusters)
    merged = replace(target, atoms=(atom,))
    groups = [
        merged if group.id == merged.id else group
        for group in grouping.groups
        if group.id not in step.sources
    ]
    listed = ", ".join(map(str, step.sources))
    return (
        replace(grouping, groups=tuple(groups)),
        f"merge {listed} into {step.target}",
    )


def _cut(grouping: Grouping, step: Cut) -> tuple[Grouping, str]:
    if step.granularity < 1:
        raise MergeError(
            f"there cannot be {step.granularity} groups; ask for 1 or more"
        )
    free = {group.id: group for group in grouping.groups if not group.locked}
    held = sorted(atom for group in free.values() for atom in group.atoms)
    if held != sorted(atom for part in step.parts for atom in part.atoms):
        raise MergeError("this cut was made for another grouping; cut again")
    if len({part.group for part in step.parts}) != len(step.parts):
        raise MergeError("two parts of the cut have the same group id")
    for part in step.parts:
        if part.group not in free:
            check_new(grouping, part.group)
    kept = {p.group: replace(free[p.group], atoms=p.atoms) for p in step.parts
            if p.group in free}  # fmt: skip
    rows: dict[int, list[Group]] = {}
    for group in grouping.groups:
        stays = group if group.locked else kept.get(group.id)
        rows[group.id] = [] if stays is None else [stays]
    taken = [group for row in rows.values() for group in row]
    for part in step.parts:
        if part.group not in kept:
            new = (
                new_group(part.group, part.atoms, taken)
                if part.name is None or part.color is None
                else Group(part.group, part.atoms, part.name, part.color, part.role)
            )
            taken.append(new)
            # It stands right below the row its lowest cluster was in.
            rows[grouping.group_of(new.value).id].append(new)
    groups = tuple(group for row in rows.values() for group in row)
    next_id = max([grouping.next_id, *(group.id + 1 for group in groups)])
    plural = "" if len(groups) == 1 else "s"
    return Grouping(groups, next_id), f"cut into {len(groups)} group{plural}"


def _adopt(grouping: Grouping, step: Adopt) -> tuple[Adopt, Grouping, str]:
    next_id = grouping.next_id
    given = {group.id for group in step.groups}
    groups = []
    for group in step.groups:
        if group.id not in grouping and group.id < grouping.next_id:
            next_id = next(i for i in range(next_id, next_id + 512) if i not in given)
            group = replace(group, id=next_id)
            next_id += 1
        groups.append(group)
    next_id = max([next_id, *(group.id + 1 for group in groups)])
    after = Grouping(tuple(groups), next_id)
    if after.clusters != grouping.clusters:
        raise MergeError("these groups hold other clusters than the ones at hand")
    return Adopt(after.groups), after, f"adopt {len(groups)} groups"


def _altered(grouping: Grouping, group: Group) -> Grouping:
    groups = (group if old.id == group.id else old for old in grouping.groups)
    return replace(grouping, groups=tuple(groups))


def _places(grouping: Grouping) -> dict[int, tuple[int, int]]:
    return {c: (g.id, g.value) for g in grouping.groups for c in g.clusters}
