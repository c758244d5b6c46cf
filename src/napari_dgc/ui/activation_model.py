"""The activation matrix as a table model for Qt."""

from __future__ import annotations

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from napari_dgc.ui.activation_source import Matrix
from napari_dgc.ui.activation_wording import (
    explain_cell,
    explain_column,
    explain_row,
    short_names,
    word_share,
)

SHARE_ROLE = Qt.ItemDataRole.UserRole
"""The share of the valid pixels, 0..1; None where the row is not active."""

SHORTEST_ROLE = SHARE_ROLE + 1
"""Of a column's head: only the words in which the cube's name differs from others."""

_ROLE = Qt.ItemDataRole
_NOWHERE = QModelIndex()


class ActivationModel(QAbstractTableModel):
    """Shares of clusters or groups (rows) in cubes (columns)."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.matrix: Matrix | None = None
        self._names: list[tuple[str, str]] = []

    def show(self, matrix: Matrix | None) -> bool:
        """Take over a matrix; returns whether rows or columns are others."""
        old = self.matrix
        same = old is not None and matrix is not None and _shape(old) == _shape(matrix)
        if same:
            self._take(matrix)
            rows, columns = self.rowCount() - 1, self.columnCount() - 1
            self.dataChanged.emit(self.index(0, 0), self.index(rows, columns))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, rows)
            return False
        self.beginResetModel()
        self._take(matrix)
        self.endResetModel()
        return True

    def _take(self, matrix: Matrix | None) -> None:
        self.matrix = matrix
        self._names = [] if matrix is None else short_names(matrix.names)

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Clusters or groups."""
        if self.matrix is None or parent.isValid():
            return 0
        return len(self.matrix.heads)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Cubes with a map."""
        if self.matrix is None or parent.isValid():
            return 0
        return len(self.matrix.cubes)

    def data(self, index, role=_ROLE.DisplayRole):
        """What a cell shows."""
        matrix, row, column = self.matrix, index.row(), index.column()
        if matrix is None or not index.isValid():
            return None
        share, active = matrix.shares[row, column], matrix.active[row, column]
        if role == _ROLE.DisplayRole:
            return word_share(float(share), bool(active))
        if role == SHARE_ROLE:
            return float(share) if active else None
        if role == _ROLE.ToolTipRole:
            return explain_cell(matrix, row, column)
        return None

    def headerData(self, section, orientation, role=_ROLE.DisplayRole):
        """Names in short, at length as tips."""
        matrix, across = self.matrix, orientation == Qt.Orientation.Horizontal
        if matrix is None:
            return None
        if role == _ROLE.DisplayRole:
            return self._names[section][0] if across else matrix.heads[section].name
        if role == SHORTEST_ROLE:
            return self._names[section][1] if across else None
        if role == _ROLE.ToolTipRole:
            explain = explain_column if across else explain_row
            return explain(matrix, section)
        return None


def _shape(matrix: Matrix) -> tuple:
    return tuple(head.id for head in matrix.heads), matrix.cubes
