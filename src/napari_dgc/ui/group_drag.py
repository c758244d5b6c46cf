"""What rows of the group table carry when they are dragged."""

from __future__ import annotations

import json
from dataclasses import dataclass

from qtpy.QtCore import QMimeData, QModelIndex, QPoint
from qtpy.QtWidgets import QAbstractItemView

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.ui.wording import word_clusters, word_names

MIME_TYPE = "application/x-napari-dgc-groups"


@dataclass(frozen=True, slots=True)
class Dragged:
    """Groups, and clusters dragged without the rest of their groups.

    Attributes
    ----------
    groups, clusters : tuple of int
        Ids, ascending.
    """

    groups: tuple[int, ...] = ()
    clusters: tuple[int, ...] = ()

    def to_mime(self) -> QMimeData:
        """Pack them; our own type: no other table takes our rows, nor we theirs."""
        mime = QMimeData()
        content = {"groups": self.groups, "clusters": self.clusters}
        mime.setData(MIME_TYPE, json.dumps(content).encode())
        return mime

    @classmethod
    def from_mime(cls, mime: QMimeData) -> Dragged:
        """Unpack them; nothing where something else is dragged."""
        if not mime.hasFormat(MIME_TYPE):
            return cls()
        content = json.loads(bytes(mime.data(MIME_TYPE).data()))
        return cls(tuple(content["groups"]), tuple(content["clusters"]))

    def onto(self, grouping: Grouping, target: Group) -> Dragged:
        """Give what of this is not in the target already."""
        return Dragged(
            tuple(id for id in self.groups if id in grouping and id != target.id),
            tuple(c for c in self.clusters if grouping.group_of(c).id != target.id),
        )

    def all_clusters(self, grouping: Grouping) -> tuple[int, ...]:
        """Give the clusters and those of the groups, ascending."""
        whole = (c for id in self.groups for c in grouping.group(id).clusters)
        return tuple(sorted({*self.clusters, *whole}))

    def word_drop(self, grouping: Grouping, target: Group | None) -> str:
        """Say what a drop on a group, or beside all rows, would do; "" for nothing."""
        if target is None:
            if self.groups or not self.clusters:
                return ""
            one = len(self.clusters) == 1
            becomes = "becomes a group of its own" if one else "become groups"
            return f"Release: {word_clusters(self.clusters)} {becomes}."
        brought = self.onto(grouping, target)
        names = [grouping.group(id).name for id in brought.groups]
        if brought.clusters:
            names.append(word_clusters(brought.clusters))
        if not names:
            return ""
        if target.locked:
            return f"{target.name} is locked: it takes nothing."
        go = "go" if len(brought.groups) + len(brought.clusters) > 1 else "goes"
        return f"Release: {word_names(names)} {go} into {target.name}."

    def merging(
        self, grouping: Grouping, target: Group | None
    ) -> tuple[tuple[int, ...], int]:
        """Give the groups that a drop would merge, and into which; none and -1."""
        if target is None or self.clusters:
            return (), -1
        return self.onto(grouping, target).groups, target.id

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.groups or self.clusters)


def row_for_drop(view: QAbstractItemView, place: QPoint) -> QModelIndex:
    """Give the row that a drop here is for; invalid between and below rows."""
    index = view.indexAt(place)
    position = QAbstractItemView.DropIndicatorPosition
    between = view.dropIndicatorPosition() in (
        position.AboveItem,
        position.BelowItem,
    )
    return index.parent() if between else index
