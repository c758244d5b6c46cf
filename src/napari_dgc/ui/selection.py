"""What is selected: one answer, shared by the table and the image."""

from __future__ import annotations

from collections.abc import Iterable

from psygnal import Signal

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import Change


class Selection:
    """Selected group ids, and single clusters selected within their groups.

    Setting what is already so emits nothing: table and image may both follow
    and both set it without ever answering each other.

    Attributes
    ----------
    changed : Signal
        Emitted with the new frozenset of group ids, whatever has changed.
    """

    changed = Signal(frozenset)

    def __init__(self) -> None:
        self._ids: frozenset[int] = frozenset()
        self._members: frozenset[int] = frozenset()

    @property
    def ids(self) -> frozenset[int]:
        """The selected group ids."""
        return self._ids

    @property
    def members(self) -> frozenset[int]:
        """Ids of clusters selected by themselves, not with their whole group."""
        return self._members

    def set(self, ids: Iterable[int], members: Iterable[int] = ()) -> None:
        """Select these groups and these single clusters, and nothing else."""
        new = frozenset(ids), frozenset(members)
        if new != (self._ids, self._members):
            self._ids, self._members = new
            self.changed.emit(self._ids)

    def toggle(self, id: int, *, adding: bool = False) -> None:
        """Select a group, or unselect it where it is selected.

        Parameters
        ----------
        id : int
        adding : bool
            Leave the other selected groups as they are.
        """
        if adding:
            self.set(self._ids ^ {id})
        else:
            self.set(frozenset() if self._ids == {id} else {id})


def follow(ids: Iterable[int], change: Change) -> frozenset[int]:
    """Groups that selected groups have become: those their clusters went into.

    A part of a split that is undone has gone into none.
    """
    before, after = change.before, change.after
    there = frozenset(after.clusters)
    return frozenset(
        after.group_of(cluster).id
        for id in ids
        if id in before
        for cluster in before.group(id).clusters[:1]
        if cluster in there
    )


def settle(
    ids: Iterable[int], members: Iterable[int], grouping: Grouping
) -> tuple[frozenset[int], frozenset[int]]:
    """Find what is selected in a grouping: a cluster all alone is its group.

    Returns
    -------
    ids, members : frozenset of int
        As `Selection.set` takes them.
    """
    homes = {c: grouping.group_of(c) for c in members if c in grouping.clusters}
    alone = {c: home.id for c, home in homes.items() if len(home.clusters) == 1}
    chosen = {id for id in ids if id in grouping} | set(alone.values())
    return frozenset(chosen), frozenset(homes) - frozenset(alone)
