"""The groups as Qt's item model; drops become wishes and move nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractItemModel, QMimeData, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor, QFont

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.ui.swatches import Swatches
from napari_dgc.ui.wording import word_names

MIME_TYPE = "application/x-napari-dgc-groups"

NO_ROLE = "–"
_GREY = QColor(128, 128, 128)  # seen on dark and on light
_ROLE = Qt.ItemDataRole


class Column(IntEnum):
    """The table's columns, from left to right."""

    NAME = 0
    PIXELS = 1
    PERCENT = 2
    ROLE = 3
    LOCK = 4


_HEADERS = {
    Column.NAME: ("Group", "Colour and name; double-click to rename"),
    Column.PIXELS: ("Pixels", "Pixels of this group in the cube shown"),
    Column.PERCENT: ("%", "Share of all valid pixels of the cube shown"),
    Column.ROLE: ("Role", "What the group is; double-click to choose"),
    Column.LOCK: ("Lock", "A locked group neither takes nor gives clusters"),
}
_NUMBERS = (Column.PIXELS, Column.PERCENT)


class GroupModel(QAbstractItemModel):
    """Rows are groups in the grouping's order, which no step shuffles.

    Signals
    -------
    merge_wanted : tuple of int, int
        Rows were dropped on a row: source ids and the target's.
    rename_wanted : int, str
        A name was typed.
    role_wanted : int, object
        A role was chosen (None: none).
    lock_wanted : int, bool
        The lock was ticked or cleared.
    """

    merge_wanted = Signal(tuple, int)
    rename_wanted = Signal(int, str)
    role_wanted = Signal(int, object)
    lock_wanted = Signal(int, bool)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._groups: list[Group] = []
        self._swatches = Swatches()
        self._counts = np.zeros(256, np.int64)

    # -- in ---------------------------------------------------------------

    def set_grouping(self, grouping: Grouping | None) -> None:
        """Follow a grouping: rows go and come where they must, no others move."""
        new = list(grouping.groups) if grouping is not None else []
        keep = {group.id for group in new}
        for row in reversed(range(len(self._groups))):
            if self._groups[row].id not in keep:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._groups[row]
                self.endRemoveRows()
        for row, group in enumerate(new):
            here = self._groups[row] if row < len(self._groups) else None
            if here is not None and here.id == group.id:
                self._groups[row] = group
            elif group.id in {g.id for g in self._groups[row:]}:
                self._reorder(new)
                break
            else:
                self.beginInsertRows(QModelIndex(), row, row)
                self._groups.insert(row, group)
                self.endInsertRows()
        self._tell_all_changed()

    def set_counts(self, counts: NDArray[np.integer] | None) -> None:
        """Take over the pixels per cluster id of the cube shown."""
        self._counts[:] = 0
        if counts is not None:
            self._counts[: len(counts)] = counts
            self._counts[0] = 0  # no data
        self._tell_all_changed()

    def _reorder(self, new: Sequence[Group]) -> None:
        """Take over a wholly different order; selection stays with its groups."""
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        ids = [self._groups[index.row()].id for index in old]
        self._groups = list(new)
        rows = {group.id: row for row, group in enumerate(new)}
        moved = [
            self.index(rows[id], index.column()) if id in rows else QModelIndex()
            for id, index in zip(ids, old, strict=True)
        ]
        self.changePersistentIndexList(old, moved)
        self.layoutChanged.emit()

    def _tell_all_changed(self) -> None:
        if self._groups:
            last = self.index(len(self._groups) - 1, len(Column) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    # -- out --------------------------------------------------------------

    def group_at(self, index: QModelIndex) -> Group | None:
        """Give the group of a row."""
        return self._groups[index.row()] if index.isValid() else None

    def row_of(self, group: int) -> int:
        """Row of a group id; -1 if it has none."""
        return next((i for i, g in enumerate(self._groups) if g.id == group), -1)

    def pixels(self, group: Group) -> int:
        """Pixels of a group in the cube shown."""
        return int(self._counts[list(group.clusters)].sum())

    def describe(self, ids: Iterable[int]) -> str:
        """Say which groups these are and how much they cover; "" for none."""
        groups = [group for group in self._groups if group.id in frozenset(ids)]
        pixels = sum(map(self.pixels, groups))
        share = 100 * pixels / max(1, self._counts.sum())
        names = word_names(group.name for group in groups)
        return f"{names}: {pixels:,} pixels, {share:.1f} %." if groups else ""

    # -- Qt asks ------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Rows: one per group."""
        return 0 if parent.isValid() else len(self._groups)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """As many as `Column` has."""
        return len(Column)

    def index(
        self,
        row: int,
        column: int,
        parent: QModelIndex = QModelIndex(),  # noqa: B008
    ) -> QModelIndex:
        """Place in the table; invalid outside it."""
        inside = 0 <= row < len(self._groups) and 0 <= column < len(Column)
        if parent.isValid() or not inside:
            return QModelIndex()
        return self.createIndex(row, column)

    def parent(self, index: QModelIndex) -> QModelIndex:
        """No row has a parent."""
        return QModelIndex()

    def headerData(self, section, orientation, role=_ROLE.DisplayRole):
        """Titles, with a word on each."""
        if orientation == Qt.Orientation.Horizontal and section < len(Column):
            title, tip = _HEADERS[Column(section)]
            if role == _ROLE.DisplayRole:
                return title
            if role == _ROLE.ToolTipRole:
                return tip
        return None

    def data(self, index, role=_ROLE.DisplayRole):
        """What a cell shows."""
        group = self.group_at(index)
        if group is None:
            return None
        column = Column(index.column())
        if role == _ROLE.DisplayRole:
            return self._text(group, column)
        if role == _ROLE.EditRole:
            return group.role if column == Column.ROLE else group.name
        if role == _ROLE.DecorationRole and column == Column.NAME:
            return self._swatches[group.color]
        if role == _ROLE.CheckStateRole and column == Column.LOCK:
            state = Qt.CheckState
            return state.Checked if group.locked else state.Unchecked
        if role == _ROLE.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == _ROLE.FontRole and not self.pixels(group):
            font = QFont()
            font.setItalic(True)
            return font
        if role == _ROLE.ForegroundRole and column == Column.ROLE and not group.role:
            return _GREY
        if role == _ROLE.ToolTipRole:
            return self._tip(group)
        return None

    def setData(self, index, value, role=_ROLE.EditRole) -> bool:
        """Pass an edit on as a wish; the grouping's answer changes the cell."""
        group = self.group_at(index)
        if group is None:
            return False
        if role == _ROLE.CheckStateRole and index.column() == Column.LOCK:
            self.lock_wanted.emit(group.id, not group.locked)
        elif role != _ROLE.EditRole:
            return False
        elif index.column() == Column.NAME and str(value).strip() != group.name:
            self.rename_wanted.emit(group.id, str(value))
        elif index.column() == Column.ROLE and value != group.role:
            self.role_wanted.emit(group.id, value)
        return True

    def setItemData(self, index, roles) -> bool:
        """Refuse: Qt would clear dragged rows this way."""
        return False

    def flags(self, index):
        """Rows are dragged onto rows; names and roles are edited."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.NoItemFlags
        flags = (
            flag.ItemIsEnabled
            | flag.ItemIsSelectable
            | flag.ItemIsDragEnabled
            | flag.ItemIsDropEnabled
            | flag.ItemNeverHasChildren
        )
        if index.column() in (Column.NAME, Column.ROLE):
            flags |= flag.ItemIsEditable
        if index.column() == Column.LOCK:
            flags |= flag.ItemIsUserCheckable
        return flags

    # -- drag and drop ------------------------------------------------------

    def supportedDropActions(self):
        """A drop moves groups into a group."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Our own: no other table takes our rows, nor we theirs."""
        return [MIME_TYPE]

    def mimeData(self, indexes) -> QMimeData:
        """Group ids of the dragged rows."""
        ids = sorted({self._groups[index.row()].id for index in indexes})
        mime = QMimeData()
        mime.setData(MIME_TYPE, json.dumps(ids).encode())
        return mime

    def canDropMimeData(self, mime, action, row, column, parent) -> bool:
        """Only onto a row, and not one of the dragged ones alone."""
        target = self.group_at(parent)
        return target is not None and bool(set(ids_in(mime)) - {target.id})

    def dropMimeData(self, mime, action, row, column, parent) -> bool:
        """Say what is wanted; False, so that the view moves nothing itself."""
        target = self.group_at(parent)
        if target is not None:
            sources = tuple(id for id in ids_in(mime) if id != target.id)
            if sources:
                self.merge_wanted.emit(sources, target.id)
        return False

    # -- looks ------------------------------------------------------------

    def _text(self, group: Group, column: Column) -> str:
        if column == Column.NAME:
            return group.name
        if column == Column.ROLE:
            return group.role or NO_ROLE
        if column == Column.LOCK:
            return ""
        pixels = self.pixels(group)
        if column == Column.PIXELS:
            return f"{pixels:,}"
        return f"{100 * pixels / max(1, self._counts.sum()):.1f}"

    def _tip(self, group: Group) -> str:
        clusters = ", ".join(map(str, group.clusters))
        noun = "cluster" if len(group.clusters) == 1 else "clusters"
        empty = "" if self.pixels(group) else "; no pixel in the cube shown"
        return f"{group.name}: {noun} {clusters}{empty}. Drag onto a row to merge."


def ids_in(mime: QMimeData) -> list[int]:
    """Give the ids of the groups dragged."""
    if not mime.hasFormat(MIME_TYPE):
        return []
    return [int(id) for id in json.loads(bytes(mime.data(MIME_TYPE).data()))]
