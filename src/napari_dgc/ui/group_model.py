"""The group table's cells, edits and drops; all become wishes and move nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from qtpy.QtCore import QMimeData, QModelIndex, Qt, Signal
from qtpy.QtGui import QIcon

from napari_dgc.merging.grouping import Group
from napari_dgc.ui.group_cells import COUNTED, HEADERS, SIGN_ROLE, Cells, Column, Counts
from napari_dgc.ui.group_drag import MIME_TYPE, Dragged
from napari_dgc.ui.group_rows import GroupRows
from napari_dgc.ui.signs import Sign, sign_icon
from napari_dgc.ui.wording import word_names

__all__ = ["Column", "GroupModel"]

_ROLE = Qt.ItemDataRole

_COLUMNS = tuple(Column)  # asked for hundreds of times a step: no look-up by value


class GroupModel(GroupRows):
    """What the rows of groups and clusters show, and what is done to them.

    Signals
    -------
    merge_wanted : tuple of int, int
        Groups were dropped on a row: source ids and the target's.
    move_wanted : tuple of int, int
        Clusters were dropped on a row: their ids and the target group's.
    apart_wanted : tuple of int
        Clusters shall become groups of their own.
    split_wanted : int, bool
        A cluster shall be split: by connected pieces, or in two.
    rename_wanted : int, str
        A name was typed.
    role_wanted : int, object
        A role was chosen (None: none).
    lock_wanted : int, bool
        The lock was pressed.
    eye_wanted : int
        The eye was pressed.
    """

    merge_wanted = Signal(tuple, int)
    move_wanted = Signal(tuple, int)
    apart_wanted = Signal(tuple)
    split_wanted = Signal(int, bool)
    rename_wanted = Signal(int, str)
    role_wanted = Signal(int, object)
    lock_wanted = Signal(int, bool)
    eye_wanted = Signal(int)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._cells = Cells()
        self._signs: dict[Sign, QIcon] = {}

    # -- in ---------------------------------------------------------------

    def set_counts(self, counts: Counts | None, *more: Any) -> None:
        """Take over pixels per cluster id; see `Cells.set_counts`."""
        self._cells.set_counts(counts, *more)
        if self._cells.everywhere and self._cells.cubes < 2:
            self._cells.everywhere = False
        self._tell_counted()

    def switch_counts(self, column: int) -> None:
        """Count the pixels of all cubes, or again of the one shown.

        Pressed was the head of this column; see `COUNTED`.
        """
        if column in COUNTED and self._cells.cubes > 1:
            self._cells.everywhere = not self._cells.everywhere
            self._tell_counted()

    def _tell_counted(self) -> None:
        self.tell_all_changed()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Take over which groups are not drawn."""
        if hidden != self._cells.hidden:
            self._cells.hidden = hidden
            self.tell_all_changed()

    def set_stability(self, share: Callable[[tuple[int, ...]], float | None]) -> None:
        """Take over how stable clusters are together; call again when it changes."""
        self._cells.stable = share
        self.tell_all_changed()

    def set_pointed(self, groups: frozenset[int]) -> None:
        """Mark the rows of groups whose merge is looked at."""
        if groups != self._cells.pointed:
            self._cells.pointed = groups
            self.tell_all_changed()

    # -- out --------------------------------------------------------------

    @property
    def total(self) -> int:
        """Valid pixels of the cube shown, or of all cubes if these are counted."""
        return self._cells.total

    def pixels(self, group: Group) -> int:
        """Pixels of a group in the cube shown, or in all cubes."""
        return self._cells.pixels(group.clusters)

    def describe(self, ids: Iterable[int]) -> str:
        """Say which groups these are and how much they cover; "" for none."""
        groups = [group for group in self._groups if group.id in frozenset(ids)]
        pixels = sum(map(self.pixels, groups))
        names = word_names(group.name for group in groups)
        share = self._cells.percent(pixels)
        where = self._cells.scope
        return f"{names}: {pixels:,} pixels, {share} % of {where}." if groups else ""

    # -- Qt asks ------------------------------------------------------------

    def headerData(self, section, orientation, role=_ROLE.DisplayRole):
        """Titles, with a word on each."""
        if orientation == Qt.Orientation.Horizontal and section < len(Column):
            title, _ = HEADERS[Column(section)]
            if role == _ROLE.DecorationRole and isinstance(title, Sign):
                return self._signs.setdefault(title, sign_icon(title))
            return self._cells.header(Column(section), role)
        return None

    def data(self, index, role=_ROLE.DisplayRole):
        """What a cell shows."""
        group, cluster = self.group_at(index), self.cluster_at(index)
        if group is None:
            return None
        column = _COLUMNS[index.column()]
        if cluster is None:
            return self._cells.of_group(group, column, role)
        return self._cells.of_member(group, cluster, column, role)

    def setData(self, index, value, role=_ROLE.EditRole) -> bool:
        """Pass an edit or a press on as a wish; the answer changes the cell."""
        group, column = self.group_at(index), index.column()
        if group is None:
            return False
        if role == _ROLE.CheckStateRole:
            return self._press(index, group)
        if role != _ROLE.EditRole:
            return False
        if column == Column.NAME and str(value).strip() != group.name:
            self.rename_wanted.emit(group.id, str(value))
        elif column == Column.ROLE and value != group.role:
            self.role_wanted.emit(group.id, value)
        return True

    def _press(self, index: QModelIndex, group: Group) -> bool:
        cluster, sign = self.cluster_at(index), index.data(SIGN_ROLE)
        wishes = {
            Column.EYE: partial(self.eye_wanted.emit, group.id),
            Column.LOCK: partial(self.lock_wanted.emit, group.id, not group.locked),
        }
        if cluster is not None:
            wishes = {Column.LOCK: partial(self.apart_wanted.emit, (cluster,))}
        if sign is None or index.column() not in wishes:
            return False
        wishes[Column(index.column())]()
        return True

    def setItemData(self, index, roles) -> bool:
        """Refuse: Qt would clear dragged rows this way."""
        return False

    def flags(self, index):
        """Rows are dragged onto rows; names and roles of groups are edited."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled  # beside the rows: clusters come out
        flags = (
            flag.ItemIsEnabled
            | flag.ItemIsSelectable
            | flag.ItemIsDragEnabled
            | flag.ItemIsDropEnabled
        )
        if self.cluster_at(index) is not None:
            return flags | flag.ItemNeverHasChildren
        if index.column() in (Column.NAME, Column.ROLE):
            flags |= flag.ItemIsEditable
        return flags

    # -- drag and drop ------------------------------------------------------

    def supportedDropActions(self):
        """A drop moves groups or clusters into a group."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Our own: no other table takes our rows, nor we theirs."""
        return [MIME_TYPE]

    def mimeData(self, indexes) -> QMimeData:
        """Ids of the groups dragged, and of the clusters dragged without theirs."""
        groups: set[int] = set()
        homes: dict[int, int] = {}
        for index in indexes:
            group, cluster = self.group_at(index), self.cluster_at(index)
            if group is not None and cluster is not None:
                homes[cluster] = group.id
            elif group is not None:
                groups.add(group.id)
        alone = sorted(c for c, home in homes.items() if home not in groups)
        return Dragged(tuple(sorted(groups)), tuple(alone)).to_mime()

    def canDropMimeData(self, mime, action, row, column, parent) -> bool:
        """Onto a row of another group; clusters also beside all rows."""
        return self._wish(mime, parent) is not None

    def dropMimeData(self, mime, action, row, column, parent) -> bool:
        """Say what is wanted; False, so that the view moves nothing itself."""
        wish = self._wish(mime, parent)
        if wish is not None:
            wish()
        return False

    def _wish(self, mime: QMimeData, parent: QModelIndex) -> Callable[[], None] | None:
        dragged, target = Dragged.from_mime(mime), self.group_at(parent)
        grouping = self._grouping
        if grouping is None:
            return None
        if target is None:
            wanted = dragged.clusters and not dragged.groups
            return partial(self.apart_wanted.emit, dragged.clusters) if wanted else None
        brought = dragged.onto(grouping, target)
        if brought.clusters:
            clusters = brought.all_clusters(grouping)
            return partial(self.move_wanted.emit, clusters, target.id)
        if brought.groups:
            return partial(self.merge_wanted.emit, brought.groups, target.id)
        return None
