"""The column "Stable" of the group table: what it holds and when it is there."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTreeView

from napari_dgc.ui.merge_wording import word_stability

_ROLE = Qt.ItemDataRole
STABLE_ROLES = (_ROLE.DisplayRole, _ROLE.TextAlignmentRole, _ROLE.ToolTipRole)
"""Roles that `stable_cell` answers; for the others a cell is like its row."""


def stable_cell(name: str, share: float | None, role: int) -> object:
    """Give what a cell of the column holds.

    Parameters
    ----------
    name : str
        The group's, or the cluster's.
    share : float or None
        Of its pixels, 0..1, that stay in it under noise; None: not measured, or no
        pixel.
    role : int
        One of `STABLE_ROLES`.
    """
    if role == _ROLE.DisplayRole:
        return "–" if share is None else f"{100 * share:.0f} %"
    if role == _ROLE.ToolTipRole:
        return word_stability(name, share)
    return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def place_column(table: QTreeView, column: int, instead_of: int) -> None:
    """Put a column where another one is; it is not shown yet."""
    header = table.header()
    header.moveSection(header.visualIndex(column), header.visualIndex(instead_of))
    table.setColumnWidth(column, table.fontMetrics().horizontalAdvance("Stable") + 10)
    table.setColumnHidden(column, True)


def show_column(table: QTreeView, column: int, instead_of: int, shown: bool) -> None:
    """Show a column instead of another one, for there is no room for both."""
    table.setColumnHidden(instead_of, shown)
    table.setColumnHidden(column, not shown)
