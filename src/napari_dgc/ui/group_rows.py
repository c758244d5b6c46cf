"""Groups and their clusters as the rows of Qt's item model, followed row by row."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QAbstractItemModel, QModelIndex

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.ui.group_cells import Column

_NOWHERE = QModelIndex()


class GroupRows(QAbstractItemModel):
    """Rows are groups in the grouping's order, which no step shuffles.

    Below a group of several clusters stand these, ascending; a group of one has
    no rows below it.
    """

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._grouping: Grouping | None = None
        self._groups: list[Group] = []
        self._members: dict[int, list[int]] = {}  # clusters by group id
        self._rows: dict[int, int] = {}  # by group id; Qt asks often

    # -- in ---------------------------------------------------------------

    def set_grouping(self, grouping: Grouping | None) -> None:
        """Follow a grouping: rows go and come where they must, no others move."""
        self._grouping = grouping
        new = list(grouping.groups) if grouping is not None else []
        keep = {group.id for group in new}
        for row in reversed(range(len(self._groups))):
            if self._groups[row].id not in keep:
                self.beginRemoveRows(_NOWHERE, row, row)
                self._members.pop(self._groups.pop(row).id)
                self._count_rows()
                self.endRemoveRows()
        for row, group in enumerate(new):
            here = self._groups[row] if row < len(self._groups) else None
            if here is not None and here.id == group.id:
                self._groups[row] = group
            elif group.id in {g.id for g in self._groups[row:]}:
                self._reorder(new)
                break
            else:
                self.beginInsertRows(_NOWHERE, row, row)
                self._groups.insert(row, group)
                self._members[group.id] = []
                self._count_rows()
                self.endInsertRows()
        for row, group in enumerate(new):
            clusters = group.clusters if len(group.clusters) > 1 else ()
            if self._members[group.id] != list(clusters):
                self._set_members(self.index(row, 0), clusters)
        self.tell_all_changed()

    def _count_rows(self) -> None:
        self._rows = {group.id: row for row, group in enumerate(self._groups)}

    def _set_members(self, parent: QModelIndex, clusters: Sequence[int]) -> None:
        here = self._members[self._groups[parent.row()].id]
        for row in reversed(range(len(here))):
            if here[row] not in clusters:
                self.beginRemoveRows(parent, row, row)
                del here[row]
                self.endRemoveRows()
        for row, cluster in enumerate(clusters):
            if row == len(here) or here[row] != cluster:
                self.beginInsertRows(parent, row, row)
                here.insert(row, cluster)
                self.endInsertRows()

    def _reorder(self, new: Sequence[Group]) -> None:
        """Take over a wholly different order; selection stays with its groups."""
        self.layoutAboutToBeChanged.emit()
        # Rows below a group find it by its id, and so stay as they are.
        old = [i for i in self.persistentIndexList() if not i.parent().isValid()]
        ids = [self._groups[index.row()].id for index in old]
        self._groups = list(new)
        for group in new:
            self._members.setdefault(group.id, [])
        self._count_rows()
        moved = [
            self.index(self._rows[id], index.column())
            for id, index in zip(ids, old, strict=True)
        ]
        self.changePersistentIndexList(old, moved)
        self.layoutChanged.emit()

    def tell_all_changed(self) -> None:
        """Let the view ask anew for what every cell shows."""
        last = len(Column) - 1
        if self._groups:
            end = self.index(len(self._groups) - 1, last)
            self.dataChanged.emit(self.index(0, 0), end)
        for row, group in enumerate(self._groups):
            below, parent = len(self._members[group.id]), self.index(row, 0)
            if below:
                first = self.index(0, 0, parent)
                self.dataChanged.emit(first, self.index(below - 1, last, parent))

    # -- out --------------------------------------------------------------

    @property
    def grouping(self) -> Grouping | None:
        """The grouping shown."""
        return self._grouping

    def group_at(self, index: QModelIndex) -> Group | None:
        """Give the group of a row, also of a row below it."""
        if not index.isValid():
            return None
        above = index.parent()
        return self._groups[above.row() if above.isValid() else index.row()]

    def cluster_at(self, index: QModelIndex) -> int | None:
        """Give the cluster of a row below a group; None for a group's row."""
        above = index.parent()
        if not above.isValid():
            return None
        return self._members[self._groups[above.row()].id][index.row()]

    def row_of(self, group: int) -> int:
        """Row of a group id; -1 if it has none."""
        return self._rows.get(group, -1)

    def index_of(self, group: int) -> QModelIndex:
        """First cell of a group id; invalid if it has none."""
        return self.index(self.row_of(group), 0)

    def index_of_member(self, cluster: int) -> QModelIndex:
        """First cell of a cluster's row below its group; invalid if it has none."""
        for group, members in self._members.items():
            if cluster in members:
                return self.index(members.index(cluster), 0, self.index_of(group))
        return QModelIndex()

    # -- Qt asks ------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Rows: one per group, and below it one per cluster if it has several."""
        if not parent.isValid():
            return len(self._groups)
        if parent.column() or parent.parent().isValid():
            return 0
        return len(self._members[self._groups[parent.row()].id])

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """As many as `Column` has."""
        return len(Column)

    def index(
        self, row: int, column: int, parent: QModelIndex = _NOWHERE
    ) -> QModelIndex:
        """Place in the table; invalid outside it."""
        if not (0 <= row < self.rowCount(parent) and 0 <= column < len(Column)):
            return QModelIndex()
        # A row below a group carries that group's id (never reused), plus one.
        above = self._groups[parent.row()].id + 1 if parent.isValid() else 0
        return self.createIndex(row, column, above)

    def parent(self, index: QModelIndex) -> QModelIndex:
        """Give the group of a row below it."""
        if not index.isValid() or not index.internalId():
            return QModelIndex()
        return self.index_of(index.internalId() - 1)
