"""Groups of clusters: small frozen values, never pixels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import index
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.palette import MAX_CLUSTER, Color, cluster_color

Role = Literal["background", "healthy", "lesion", "ignore"]
ROLES: tuple[Role, ...] = get_args(Role)
Atom = tuple[int, ...]
# As operations give; they once gave clusters' names to groups.
_DEFAULT_NAME = re.compile(r"(Group|Cluster) \d+( \(\d+\))?")


class MergeError(ValueError):
    """A step on a grouping that cannot be taken; says why, for the user."""


@dataclass(frozen=True, slots=True)
class Group:
    """What the user makes of one or more clusters.

    Parameters
    ----------
    id : int
        Never reused within one history.
    atoms : tuple of tuple of int
        The clusters (1..255), by atom. Clusters tied together by hand form
        one atom, which no granularity takes apart. Given in any order, kept
        sorted.
    name : str
        One printable line.
    color : tuple of int
        Red, green and blue, 0..255.
    role : {"background", "healthy", "lesion", "ignore"}, optional
        None until the user has set it.
    locked : bool
        A locked group neither takes nor gives clusters. Its name, colour and
        role may still be set.

    Raises
    ------
    MergeError
        If any of these is not so.
    """

    id: int
    atoms: tuple[Atom, ...]
    name: str
    color: Color
    role: Role | None = None
    locked: bool = False
    clusters: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """All cluster ids, ascending; kept, since tables ask for it cell by cell."""

    def __post_init__(self) -> None:
        # Values read from arrays are NumPy's: taken as plain numbers here, so
        # that they compare, hash and go to JSON like any other.
        set_field = object.__setattr__
        set_field(self, "id", index(self.id))
        set_field(self, "atoms", sorted_atoms(self.atoms))
        set_field(self, "color", check_color(self.color))
        set_field(self, "name", check_name(self.name))
        set_field(self, "role", check_role(self.role))
        set_field(self, "locked", bool(self.locked))
        set_field(self, "clusters", tuple(sorted(c for a in self.atoms for c in a)))
        if not self.atoms:
            raise MergeError(f"group {self.id} holds no cluster")
        clusters = self.clusters
        if clusters[0] < 1 or clusters[-1] > MAX_CLUSTER:
            raise MergeError(f"cluster ids go from 1 to {MAX_CLUSTER}, not {clusters}")
        if len(set(clusters)) != len(clusters):
            raise MergeError(f"group {self.id} holds a cluster twice: {clusters}")

    @property
    def value(self) -> int:
        """Label value on screen and in exported maps: the lowest cluster id."""
        return self.atoms[0][0]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Grouping:
    """Every cluster in exactly one group.

    Parameters
    ----------
    groups : tuple of Group
        In table order, which no step shuffles.
    next_id : int
        The lowest group id never given away. Book-keeping, not content: two
        groupings with equal groups are equal.

    Raises
    ------
    MergeError
        If two groups share an id or a cluster, or `next_id` is in use.
    """

    groups: tuple[Group, ...]
    next_id: int = field(compare=False)
    _by_id: dict[int, Group] = field(init=False, repr=False, compare=False)
    _by_cluster: dict[int, Group] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {group.id: group for group in self.groups}
        by_cluster = {c: group for group in self.groups for c in group.clusters}
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_by_cluster", by_cluster)
        if len(by_id) != len(self.groups):
            raise MergeError("two groups have the same id")
        if len(by_cluster) != sum(len(group.clusters) for group in self.groups):
            raise MergeError("a cluster is in two groups")
        if by_id and max(by_id) >= self.next_id:
            raise MergeError(
                f"the next group id, {self.next_id}, is already given away"
            )

    @classmethod
    def start(
        cls, cluster_ids: Iterable[int], names: Mapping[int, str] | None = None
    ) -> Grouping:
        """One group per cluster, with the cluster's id and colour.

        Parameters
        ----------
        cluster_ids : iterable of int
            Within 1..255; the table takes their order.
        names : mapping of int to str, optional
            Names by cluster id; "Group n" where it is silent.
        """
        ids = [index(cluster) for cluster in cluster_ids]
        given = names or {}
        groups = tuple(
            Group(c, ((c,),), given.get(c, default_name(c)), cluster_color(c))
            for c in ids
        )
        return cls(groups, next_id=max(ids, default=0) + 1)

    @property
    def clusters(self) -> tuple[int, ...]:
        """All cluster ids, ascending."""
        return tuple(sorted(self._by_cluster))

    @property
    def ids(self) -> tuple[int, ...]:
        """Group ids in table order."""
        return tuple(group.id for group in self.groups)

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def group(self, id: int) -> Group:
        """Look up a group by its id; MergeError if there is none."""
        try:
            return self._by_id[id]
        except KeyError:
            raise MergeError(f"there is no group {id}") from None

    def group_of(self, cluster: int) -> Group:
        """Look up the group that holds a cluster; MergeError if none does."""
        try:
            return self._by_cluster[cluster]
        except KeyError:
            raise MergeError(f"cluster {cluster} is in no group") from None

    def by_value(self, value: int) -> Group:
        """Look up the group shown with a label value; MergeError if none is."""
        group = self._by_cluster.get(value)
        if group is None or group.value != value:
            raise MergeError(f"no group has the label value {value}")
        return group

    def lut(self) -> NDArray[np.uint8]:
        """Label value of every cluster id, (256,) uint8.

        0 (no data) stays 0, and so does an id that is in no group. A group map
        is ``np.take(grouping.lut(), cluster_map)``.
        """
        lut = np.zeros(MAX_CLUSTER + 1, np.uint8)
        for cluster, group in self._by_cluster.items():
            lut[cluster] = group.value
        return lut

    def keep_ids_from(self, next_id: int) -> Grouping:
        """Give the same groups, with no id below `next_id` to be given away."""
        if next_id <= self.next_id:
            return self
        return replace(self, next_id=next_id)


def sorted_atoms(atoms: Iterable[Iterable[int]]) -> tuple[Atom, ...]:
    """Put clusters in order within atoms, and atoms by their lowest cluster."""
    ordered = [tuple(sorted(index(cluster) for cluster in atom)) for atom in atoms]
    if not all(ordered):
        raise MergeError("an atom holds no cluster")
    return tuple(sorted(ordered))


def default_name(cluster: int) -> str:
    """Name of a new group, by its lowest cluster: its label value."""
    return f"Group {cluster}"


def cluster_name(cluster: int) -> str:
    """Name of a cluster, which is no group."""
    return f"Cluster {cluster}"


def is_named(group: Group) -> bool:
    """Whether somebody has named a group."""
    return not _DEFAULT_NAME.fullmatch(group.name)


def is_marked(group: Group) -> bool:
    """Whether somebody has named a group or given it a role."""
    return group.role is not None or is_named(group)


def check_name(name: str) -> str:
    """Give the name without outer blanks; MergeError unless one printable line."""
    stripped = name.strip() if isinstance(name, str) else ""
    if not stripped or not stripped.isprintable():
        raise MergeError(f"a name is one printable line of text, not {name!r}")
    return stripped


def check_color(color: Iterable[int]) -> Color:
    """Give the colour as three plain integers; MergeError unless 0..255 each."""
    try:
        r, g, b = (index(channel) for channel in color)
    except (TypeError, ValueError):
        r = g = b = -1
    if not all(0 <= channel <= 255 for channel in (r, g, b)):
        raise MergeError(
            f"a colour is three whole numbers from 0 to 255, not {color!r}"
        )
    return r, g, b


def check_role(role: str | None) -> Role | None:
    """Give the role; MergeError unless it is one of `ROLES` or None."""
    for known in ROLES:
        if role == known:
            return known
    if role is None:
        return None
    raise MergeError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
