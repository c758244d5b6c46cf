"""Steps on a grouping: plain data that replays.

A step says everything needed to take it again, so a list of steps and the
grouping they began with always give the same grouping; `operations.apply` takes
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, TypeAlias

from napari_dgc.merging import grouping as _grouping
from napari_dgc.merging.fields import Fields, color_text
from napari_dgc.merging.frozen import set_fields
from napari_dgc.merging.group_json import group_from_json, group_to_json
from napari_dgc.merging.grouping import Group, Role
from napari_dgc.merging.palette import Color
from napari_dgc.merging.part import Part
from napari_dgc.merging.splits import Split


def _sorted_ids(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({index(id) for id in ids}))


@dataclass(frozen=True, slots=True)
class Merge:
    """The sources' clusters go into the target, tied together as one atom.

    The target keeps its id, name, colour, role and place in the table.
    """

    sources: tuple[int, ...]
    target: int

    def __post_init__(self) -> None:
        set_fields(self, sources=_sorted_ids(self.sources), target=index(self.target))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"step": "merge", "sources": list(self.sources), "target": self.target}


@dataclass(frozen=True, slots=True)
class TakeOut:
    """One cluster leaves its group and becomes a group of its own.

    `new_group` is the id it gets: None for the next one free, which the
    operation of the resulting `Change` then states.
    """

    cluster: int
    new_group: int | None = None

    def __post_init__(self) -> None:
        new = None if self.new_group is None else index(self.new_group)
        set_fields(self, cluster=index(self.cluster), new_group=new)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "step": "take out",
            "cluster": self.cluster,
            "new_group": self.new_group,
        }


@dataclass(frozen=True, slots=True)
class TakeApart:
    """Each of these clusters leaves its group and becomes a group of its own.

    Where all clusters of a group are among them the lowest stays, and with it
    the group. `new_groups` are the ids they get: None for the next ones free,
    which the operation of the resulting `Change` then states, for the clusters
    that did leave.
    """

    clusters: tuple[int, ...]
    new_groups: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        new = self.new_groups
        ids = None if new is None else tuple(map(index, new))
        set_fields(self, clusters=_sorted_ids(self.clusters), new_groups=ids)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        new = None if self.new_groups is None else list(self.new_groups)
        clusters = list(self.clusters)
        return {"step": "take apart", "clusters": clusters, "new_groups": new}


@dataclass(frozen=True, slots=True)
class Move:
    """Clusters leave their groups and go into the target, tied to it by hand.

    The target keeps its id, name, colour, role and place in the table; a group
    that none of its clusters is left in goes.
    """

    clusters: tuple[int, ...]
    target: int

    def __post_init__(self) -> None:
        set_fields(self, clusters=_sorted_ids(self.clusters), target=index(self.target))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"step": "move", "clusters": list(self.clusters), "target": self.target}


@dataclass(frozen=True, slots=True)
class Rename:
    """A group gets a name: one printable line."""

    group: int
    name: str

    def __post_init__(self) -> None:
        set_fields(self, group=index(self.group), name=_grouping.check_name(self.name))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"step": "rename", "group": self.group, "name": self.name}


@dataclass(frozen=True, slots=True)
class Recolor:
    """A group gets a colour: red, green and blue, 0..255."""

    group: int
    color: Color

    def __post_init__(self) -> None:
        set_fields(
            self, group=index(self.group), color=_grouping.check_color(self.color)
        )

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "step": "recolor",
            "group": self.group,
            "color": color_text(self.color),
        }


@dataclass(frozen=True, slots=True)
class SetRole:
    """A group gets a role, or None takes it away.

    With it goes a colour (`fitting_color` chooses one); None: it stays, as in the
    steps of older studies.
    """

    group: int
    role: Role | None
    color: Color | None = None

    def __post_init__(self) -> None:
        color = None if self.color is None else _grouping.check_color(self.color)
        role = _grouping.check_role(self.role)
        set_fields(self, group=index(self.group), role=role, color=color)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        data = {"step": "set role", "group": self.group, "role": self.role}
        return data if self.color is None else data | {"color": color_text(self.color)}


@dataclass(frozen=True, slots=True)
class SetLock:
    """A group is locked or unlocked."""

    group: int
    locked: bool

    def __post_init__(self) -> None:
        set_fields(self, group=index(self.group), locked=bool(self.locked))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"step": "set lock", "group": self.group, "locked": self.locked}


@dataclass(frozen=True, slots=True)
class Cut:
    """The unlocked groups are dealt anew; `ClusterTree.cut` says how.

    A part whose id is an old group's keeps that group's name, colour, role
    and place. The other parts are new groups.

    Parameters
    ----------
    granularity : int
        The number of groups asked for, locked ones included.
    parts : tuple of Part
        They hold the atoms of all unlocked groups, each once.
    """

    granularity: int
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        parts = tuple(sorted(self.parts, key=lambda part: part.atoms))
        set_fields(self, granularity=index(self.granularity), parts=parts)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        parts = [part.to_json() for part in self.parts]
        return {"step": "cut", "granularity": self.granularity, "parts": parts}


@dataclass(frozen=True, slots=True)
class Adopt:
    """All groups are replaced, locked ones too: how a recipe enters the history.

    A group whose id is in use takes that group's place; one whose id was used
    and is gone gets a new id, which the resulting `Change` states.
    """

    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        set_fields(self, groups=tuple(self.groups))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"step": "adopt", "groups": [group_to_json(g) for g in self.groups]}


Operation: TypeAlias = (
    Merge
    | TakeOut
    | TakeApart
    | Move
    | Rename
    | Recolor
    | SetRole
    | SetLock
    | Cut
    | Adopt
    | Split
)


def operation_from_json(data: object) -> Operation:
    """Read what an operation's ``to_json`` wrote.

    Raises
    ------
    ValueError
        If it is no operation; says which field is at fault.
    """
    step = Fields(data, "a step").text("step")
    fields = Fields(data, f"the step {step!r}")
    match step:
        case "merge":
            return Merge(fields.integers("sources"), fields.integer("target"))
        case "take out":
            new_group = fields.optional_integer("new_group")
            return TakeOut(fields.integer("cluster"), new_group)
        case "take apart":
            new_groups = fields.optional_integers("new_groups")
            return TakeApart(fields.integers("clusters"), new_groups)
        case "move":
            return Move(fields.integers("clusters"), fields.integer("target"))
        case "rename":
            return Rename(fields.integer("group"), fields.text("name"))
        case "recolor":
            return Recolor(fields.integer("group"), fields.color("color"))
        case "set role":
            role = _grouping.check_role(fields.optional_text("role"))
            return SetRole(
                fields.integer("group"), role, fields.optional_color("color")
            )
        case "set lock":
            return SetLock(fields.integer("group"), fields.flag("locked"))
        case "cut":
            parts = tuple(map(Part.from_json, fields.items("parts")))
            return Cut(fields.integer("granularity"), parts)
        case "adopt":
            return Adopt(tuple(group_from_json(g) for g in fields.items("groups")))
        case "split":
            return Split.from_json(data)
    raise ValueError(f"there is no step called {step!r}")
