"""The table of leaves: all of the cube first, then one row per leaf."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QFont
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QTreeView,
)

from napari_dgc.reports.severity import SeverityRow
from napari_dgc.ui.leaves_wording import explain_row, word_area, word_percent

_ROLE = Qt.ItemDataRole
_NOWHERE = QModelIndex()
_ROW = 20  # pixels


class Column(IntEnum):
    """What the columns hold."""

    NUMBER, NAME, PIXELS, AREA, PERCENT, LESIONS = range(6)


_HEADS = {
    Column.NUMBER: ("", "The leaf's number: leaves are numbered as one reads"),
    Column.NAME: ("Leaf", "Double-click to name a leaf"),
    Column.PIXELS: ("Tissue px", "Pixels that are healthy or lesion"),
    Column.AREA: ("mm²", "Area of that tissue"),
    Column.PERCENT: ("Lesion %", "Lesion as a share of healthy and lesion"),
    Column.LESIONS: ("Lesions", "Pieces of lesion that are large enough"),
}


class LeafModel(QAbstractTableModel):
    """Rows of severity as Qt wants them.

    Signals
    -------
    renamed : int, str
        A leaf's number and the name that was typed.
    """

    renamed = Signal(int, str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.rows: tuple[SeverityRow, ...] = ()

    def show(self, rows: Sequence[SeverityRow]) -> bool:
        """Take over rows; returns whether they are of other leaves."""
        old, rows = self.rows, tuple(rows)
        same = len(old) == len(rows) and all(
            a.cube == b.cube for a, b in zip(old, rows, strict=True)
        )
        if same:
            self.rows = rows
            if rows:
                last = self.index(len(rows) - 1, len(Column) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return False
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()
        return True

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """The cube and its leaves."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """See `Column`."""
        return 0 if parent.isValid() else len(Column)

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole):
        """What a cell shows."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], Column(index.column())
        if role == _ROLE.DisplayRole:
            return _text(row, column)
        if role == _ROLE.EditRole and column is Column.NAME:
            return row.leaf
        if role == _ROLE.TextAlignmentRole and column is not Column.NAME:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == _ROLE.FontRole and not row.region:
            font = QFont()
            font.setBold(True)
            return font
        if role == _ROLE.ToolTipRole:
            return explain_row(row)
        return None

    def headerData(self, section, orientation, role=_ROLE.DisplayRole):
        """Heads and their tips."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        text, tip = _HEADS[Column(section)]
        if role == _ROLE.TextAlignmentRole and section != Column.NAME:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return {_ROLE.DisplayRole: text, _ROLE.ToolTipRole: tip}.get(role)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Names of leaves can be edited."""
        flags = super().flags(index)
        if index.column() == Column.NAME and index.isValid() and index.row() > 0:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: QModelIndex, value, role: int = _ROLE.EditRole) -> bool:
        """Ask for another name; whoever is asked shows it."""
        if role != _ROLE.EditRole or index.column() != Column.NAME:
            return False
        row = self.rows[index.row()]
        if str(value) != row.leaf:
            self.renamed.emit(row.region, str(value))
        return True


class _Roomy(QStyledItemDelegate):
    """Rows as high as those of the table of groups."""

    def sizeHint(self, option, index: QModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), _ROW))


class LeafTable(QTreeView):
    """Shows a `LeafModel`.

    Signals
    -------
    chosen : tuple of int
        Numbers of the leaves that are selected now, by the user's hand.
    """

    chosen = Signal(tuple)

    def __init__(self, model: LeafModel) -> None:
        super().__init__()
        self._quiet = False
        self.setObjectName("dgc_leaves")
        self.setModel(model)
        self.setItemDelegate(_Roomy(self))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        modes = QHeaderView.ResizeMode
        for column in Column:
            wide = column is Column.NAME
            fit = modes.Stretch if wide else modes.ResizeToContents
            header.setSectionResizeMode(column, fit)
        self.selectionModel().selectionChanged.connect(self._on_selected)

    @property
    def leaves(self) -> tuple[int, ...]:
        """Numbers of the selected leaves."""
        rows = {index.row() for index in self.selectionModel().selectedRows()}
        return tuple(sorted(row for row in rows if row))

    def show_areas(self, on: bool) -> None:
        """Show the column of mm², or not."""
        self.setColumnHidden(Column.AREA, not on)

    def choose(self, numbers: Sequence[int], *, scroll: bool = True) -> None:
        """Select rows without telling."""
        model, chosen = self.model(), QItemSelection()
        for number in numbers:
            if 0 < number < model.rowCount():
                left, right = model.index(number, 0), model.index(number, 5)
                chosen.select(left, right)
        self._quiet = True
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().select(chosen, flag)
        self._quiet = False
        if numbers and scroll and chosen.count():
            self.scrollTo(model.index(numbers[0], 0))

    def _on_selected(self, *_: object) -> None:
        if not self._quiet:
            self.chosen.emit(self.leaves)


def _text(row: SeverityRow, column: Column) -> str:
    if column is Column.NUMBER:
        return str(row.region or "")
    if column is Column.NAME:
        return row.leaf or f"All of {row.cube}"
    if column is Column.PIXELS:
        return f"{row.tissue:,}"
    if column is Column.AREA:
        area = row.area(row.tissue)
        return "" if area is None else word_area(area)
    if column is Column.PERCENT:
        return word_percent(row)
    return "…" if row.lesions is None else f"{row.lesions.count:,}"
