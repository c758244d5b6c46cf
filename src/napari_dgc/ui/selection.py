"""Which groups are selected: one answer, shared by the table and the image."""

from __future__ import annotations

from collections.abc import Iterable

from psygnal import Signal

from napari_dgc.merging.operations import Change


class Selection:
    """Selected group ids.

    Setting what is already so emits nothing: table and image may both follow
    and both set it without ever answering each other.

    Attributes
    ----------
    changed : Signal
        Emitted with the new frozenset of ids.
    """

    changed = Signal(frozenset)

    def __init__(self) -> None:
        self._ids: frozenset[int] = frozenset()

    @property
    def ids(self) -> frozenset[int]:
        """The selected group ids."""
        return self._ids

    def set(self, ids: Iterable[int]) -> None:
        """Select these groups and no other."""
        new = frozenset(ids)
        if new != self._ids:
            self._ids = new
            self.changed.emit(new)

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
    """Groups that selected groups have become: those their clusters went into."""
    before, after = change.before, change.after
    return frozenset(
        after.group_of(cluster).id
        for id in ids
        if id in before
        for cluster in before.group(id).clusters[:1]
    )
